#!/bin/sh
# What a container runs: `run` serves, `healthy` tells whether it does, anything else goes to python -m bot.
# Hosting platforms say in PORT where they expect an answer: the webhook gives it if there is one, else the page, else
# /healthz; each of them answers at /healthz.
set -eu
cd "$(dirname "$0")/.."
export PORT="${PORT:-8080}"
if [ -n "${TELEGRAM_WEBHOOK_URL:-}" ]; then port=${TELEGRAM_WEBHOOK_PORT:-$PORT}
elif case "${WEB:-}" in on | true | yes | 1) true ;; *) false ;; esac; then port=${WEB_PORT:-$PORT}
else port=${HEALTH_PORT:-$PORT}; fi
# A mounted folder begins without the recorded figures, which answer where there is no key.
data=${DATA_DIR:-data}
[ -e "$data/demo_songs.csv" ] || cp deploy/demo_songs.csv "$data/" || true
case "${1:-run}" in
    run) exec python -m bot ;;
    healthy) exec python -c "import sys, urllib.request as u; u.urlopen(sys.argv[1], timeout=5)" "http://127.0.0.1:$port/healthz" ;;
    python) exec "$@" ;;
    *) exec python -m bot "$@" ;;
esac
