# mmd in a container: wheels in one stage, installed and with its kernels compiled in the next, a small non-root image last.
# TORCH: none serves models (training needs more), cpu and cuda can train as well.
ARG BASE_IMAGE=python:3.11.14-slim-bookworm

FROM ${BASE_IMAGE} AS wheels
ARG TORCH=none
WORKDIR /src
COPY pyproject.toml constraints.txt ./
# Dependencies before sources: an edit of mmd leaves this layer as it is.
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" > wanted.txt \
    && case "$TORCH" in \
        none) python -m pip wheel --no-cache-dir -c constraints.txt -w /wheels -r wanted.txt setuptools ;; \
        cpu) python -m pip wheel --no-cache-dir -c constraints.txt -w /wheels -r wanted.txt setuptools lightgbm torch \
            --extra-index-url https://download.pytorch.org/whl/cpu ;; \
        cuda) python -m pip wheel --no-cache-dir -c constraints.txt -w /wheels -r wanted.txt setuptools lightgbm torch ;; \
        *) echo "TORCH: expected none, cpu or cuda, found $TORCH" >&2; exit 2 ;; \
    esac
COPY README.md ./
COPY mmd mmd
COPY adapters adapters
COPY models models
RUN python -m pip wheel --no-cache-dir --no-deps --no-index --find-links /wheels -w /wheels .

FROM ${BASE_IMAGE} AS build
ARG TORCH=none
COPY --from=wheels /wheels /wheels
RUN python -m venv --without-pip /opt/mmd \
    && if [ "$TORCH" = none ]; then wanted=mmd; else wanted="mmd[train]"; fi \
    && python -m pip --python /opt/mmd/bin/python install --no-cache-dir --no-index --find-links /wheels "$wanted"
# Kernels are compiled for a CPU that any current host has, so that the image's cache is valid there.
ENV NUMBA_CACHE_DIR=/opt/mmd/kernels NUMBA_CPU_NAME=x86-64-v3 NUMBA_CPU_FEATURES=
COPY deploy/config /etc/mmd
RUN /opt/mmd/bin/mmd check --config /etc/mmd/embedded.toml --kernels

FROM ${BASE_IMAGE}
ARG TORCH=none
# hadolint ignore=DL3008
RUN if [ "$TORCH" != none ]; then \
        apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*; \
    fi
RUN useradd --system --uid 10001 --no-create-home mmd \
    && install -d -o mmd /var/lib/mmd
COPY --from=build /opt/mmd /opt/mmd
COPY deploy/config /etc/mmd
ENV PATH=/opt/mmd/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    NUMBA_CACHE_DIR=/opt/mmd/kernels NUMBA_CPU_NAME=x86-64-v3 NUMBA_CPU_FEATURES= \
    MMD_JOURNAL__FOLDER=/var/lib/mmd/journal MMD_MODELS__FOLDER=/var/lib/mmd/models
USER 10001
WORKDIR /var/lib/mmd
VOLUME /var/lib/mmd
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=10s --start-period=60s CMD \
    ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
ENTRYPOINT ["mmd"]
CMD ["run", "--config", "/etc/mmd/embedded.toml"]
