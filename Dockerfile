# The bot in an image that needs neither root nor a writable root file system; docs/hosting.md says how to run it.
#   docker build -t hitmeter .                       the bot
#   docker build -t hitmeter-training --target training .   the same with what training needs
ARG PYTHON_IMAGE=python:3.13-slim-bookworm

FROM ${PYTHON_IMAGE} AS installer
# pip stays behind in this stage: it installs into environments that have none.
RUN python3 -m venv /opt/pip
WORKDIR /srv/hitmeter

FROM installer AS bot-packages
COPY requirements-bot.txt ./
RUN python3 -m venv --without-pip /opt/venv && \
    /opt/pip/bin/python -m pip --python /opt/venv/bin/python install --quiet --no-cache-dir --no-compile \
    --require-hashes -r requirements-bot.txt

FROM installer AS training-packages
COPY requirements.txt ./
RUN python3 -m venv --without-pip /opt/venv && \
    /opt/pip/bin/python -m pip --python /opt/venv/bin/python install --quiet --no-cache-dir --no-compile \
    --require-hashes -r requirements.txt

FROM ${PYTHON_IMAGE} AS base
RUN /usr/sbin/useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin hitmeter
WORKDIR /srv/hitmeter
COPY LICENSE THIRD_PARTY_NOTICES.md ./
COPY bot bot
COPY core core
COPY models models
COPY data/demo_songs.csv data/
# A second copy, for a mounted folder that covers the first.
COPY data/demo_songs.csv deploy/container.sh deploy/
# Volumes that begin empty get the owner of the folder they cover.
RUN mkdir cards && chown hitmeter:hitmeter data cards
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 MPLCONFIGDIR=/tmp/matplotlib HEALTH_HOST=0.0.0.0 TELEGRAM_WEBHOOK_HOST=0.0.0.0 \
    WEB=off WEB_HOST=0.0.0.0
ENTRYPOINT ["/srv/hitmeter/deploy/container.sh"]
CMD ["run"]

FROM base AS training
COPY --from=training-packages /opt/venv /opt/venv
COPY scripts scripts
USER hitmeter

FROM base AS compiled
COPY --from=bot-packages /opt/venv /opt/venv
# Importing everything makes the bytecode of just what is used; the question shows that the image answers.
RUN python -c "import bot, importlib, pkgutil; \
    [importlib.import_module(m.name) for m in pkgutil.walk_packages(bot.__path__, 'bot.') if m.name != 'bot.__main__']" && \
    CATALOGUE=off ITUNES_SEARCH_URL=off DEEZER_SEARCH_URL=off MUSICBRAINZ_URL=off ART_DOWNLOADS=false CARDS_DIR=/tmp/cards \
    python -m bot ask "Blinding Lights - The Weeknd"

FROM base AS bot
COPY --from=compiled /opt/venv /opt/venv
COPY --from=compiled /srv/hitmeter/bot bot
COPY --from=compiled /srv/hitmeter/core core
USER hitmeter
VOLUME /srv/hitmeter/data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=6s --start-period=180s CMD ["/srv/hitmeter/deploy/container.sh", "healthy"]
