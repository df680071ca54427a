# pgconn_exporter on Debian 13. Build:  docker build -t pgconn_exporter --build-arg REVISION="$(git rev-parse HEAD)" .
# Run:  docker run -v ./config.yml:/etc/pgconn_exporter/config.yml:ro -p 10187:10187 pgconn_exporter \
#         --config.file=/etc/pgconn_exporter/config.yml
# Without a configuration it watches the server given by PGHOST, PGUSER and libpq's other variables.
# It runs as uid 65532: that user must be able to read the configuration, password and certificate files.
# Should it listen on another port (--web.listen-address), tell the health check too: -e HEALTHCHECK_PORT=…

FROM debian:trixie-slim AS build
WORKDIR /src
# Dependencies first: they stay cached while the sources change.
COPY scripts/install-deps scripts/
RUN scripts/install-deps build
COPY . .
ARG REVISION=unknown
RUN cmake --preset release -DPGCONN_TESTS=OFF -DPGCONN_WERROR=OFF -DPGCONN_REVISION="$REVISION" \
 && cmake --build --preset release --target pgconn_exporter \
 && cmake --install build/release --prefix /out --strip

FROM debian:trixie-slim
ARG REVISION=unknown
LABEL org.opencontainers.image.title="pgconn_exporter" \
      org.opencontainers.image.description="Prometheus exporter for the health of PostgreSQL connections" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="$REVISION"
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      ca-certificates libcivetweb1 libcrypt1 libfmt10 libmd4c-html0 libpq5 libspdlog1.15 libssl3t64 \
      libyaml-cpp0.8 libprometheus-cpp-core1.0 zlib1g \
 && apt-get clean && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 65532 --no-create-home --home-dir /nonexistent pgconn
COPY --from=build /out/bin/pgconn_exporter /usr/local/bin/
COPY --from=build /src/LICENSE /usr/share/doc/pgconn_exporter/
USER 65532:65532
EXPOSE 10187
# bash is part of every Debian image; it spares the image an HTTP client. With --web.config.file it can only
# see that somebody answers: 400 (this port speaks TLS) and 401 (log in) are signs of life, too.
HEALTHCHECK --interval=15s --timeout=5s --start-period=10s \
  CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/${HEALTHCHECK_PORT:-10187} && printf 'GET /-/healthy HTTP/1.0\\r\\n\\r\\n' >&3 && read -r _ status _ <&3 && [[ $status =~ ^(200|400|401)$ ]]"]
ENTRYPOINT ["pgconn_exporter"]
