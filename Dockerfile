# mmd in a container: wheels in one stage, a small non-root image in the other.
ARG PYTHON_IMAGE=python:3.11.14-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md ./
COPY mmd mmd
COPY adapters adapters
COPY models models
RUN python -m venv /opt/mmd \
    && /opt/mmd/bin/pip install --no-cache-dir --disable-pip-version-check -c constraints.txt .
# Kernels are compiled for a CPU that any current host has, so that the image's cache is valid there.
ENV NUMBA_CACHE_DIR=/opt/mmd/kernels NUMBA_CPU_NAME=x86-64-v3 NUMBA_CPU_FEATURES=
COPY deploy/config /etc/mmd
RUN /opt/mmd/bin/mmd check --config /etc/mmd/embedded.toml --kernels

FROM ${PYTHON_IMAGE}
RUN useradd --system --uid 10001 --no-create-home mmd \
    && install -d -o mmd /var/lib/mmd
COPY --from=build /opt/mmd /opt/mmd
COPY deploy/config /etc/mmd
ENV PATH=/opt/mmd/bin:$PATH \
    NUMBA_CACHE_DIR=/opt/mmd/kernels NUMBA_CPU_NAME=x86-64-v3 NUMBA_CPU_FEATURES= \
    MMD_JOURNAL__FOLDER=/var/lib/mmd/journal
USER 10001
WORKDIR /var/lib/mmd
VOLUME /var/lib/mmd
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD \
    ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
ENTRYPOINT ["mmd"]
CMD ["run", "--config", "/etc/mmd/embedded.toml"]
