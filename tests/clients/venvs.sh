#!/bin/sh
# Installs each third-party client into a virtual environment of its own, below $1; ccxt is in the main one.
# Usage: tests/clients/venvs.sh FOLDER [PYTHON]
set -eu
folder=$1
python=${2:-python3.11}
for client in binance-sdk-spot==13.2.0 python-binance==1.0.37 cryptofeed==2.4.1 hftbacktest==2.4.4 nautilus_trader==1.221.0; do
    name=${client%%==*}
    if [ -f "$folder/$name/.$client" ]; then
        continue
    fi
    echo "installing $client into $folder/$name ..."
    "$python" -m venv "$folder/$name"
    "$folder/$name/bin/python" -m pip install --quiet --disable-pip-version-check "$client"
    touch "$folder/$name/.$client"
done
