# The Go release is pinned by its minor version; the binary it makes is static.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /out/secondaryd ./cmd/secondaryd \
 && mkdir -m 0700 /out/data

# Nothing but the binary: no shell, no libraries, no package to keep up to date.
FROM scratch
COPY --from=build /out/secondaryd /secondaryd
COPY --from=build --chown=65532:65532 /out/data /var/lib/secondaryd
USER 65532:65532

# Loopback of a container is reachable by nobody, so the API listens on all of
# its addresses: publish 8080 to loopback only, or turn TLS on. A variable wins
# over a file (serve --config FILE), so change this one here. Port 53 needs no
# privilege: Docker sets net.ipv4.ip_unprivileged_port_start=0 in the
# container. Where the runtime does not, set SECONDARYD_DNS_LISTEN to a higher port.
ENV SECONDARYD_API_LISTEN=0.0.0.0:8080

VOLUME /var/lib/secondaryd
EXPOSE 53/udp 53/tcp 8080/tcp
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 CMD ["/secondaryd", "health"]
ENTRYPOINT ["/secondaryd"]
CMD ["serve"]
