//! Dockerfiles of applications in several languages, in one stage and in several, mostly sound and here and there not.

use super::random::{Random, fill};

/// One Dockerfile, about two kilobytes.
pub fn dockerfile(random: &mut Random, number: usize) -> String {
    let name = format!("app-{number}");
    let minor = random.between(0, 9).to_string();
    let mut packages: Vec<&str> = (0..random.between(2, 7))
        .map(|_| random.pick(&["curl", "jq", "git", "make", "tini", "libpq5", "xz-utils"]))
        .collect();
    packages.sort_unstable();
    packages.dedup();
    let packages = packages.join(" \\\n        ");
    let values = [
        ("@name", name.as_str()),
        ("@minor", minor.as_str()),
        ("@packages", packages.as_str()),
        ("@pin", random.mostly("-slim-bookworm", "")),
        ("@user", random.mostly("app", "root")),
        ("@copy", random.mostly("COPY", "ADD")),
        ("@clean", random.mostly(" \\\n    && rm -rf /var/lib/apt/lists/*", "")),
    ];
    fill(random.pick(&[NODE, PYTHON, GO, JAVA]), &values)
}

const NODE: &str = r#"# syntax=docker/dockerfile:1
FROM node:20.1@minor.0@pin AS dependencies
WORKDIR /srv
ENV NODE_ENV=production \
    NPM_CONFIG_FUND=false \
    NPM_CONFIG_AUDIT=false
@copy package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev

FROM dependencies AS build
@copy . .
RUN --mount=type=cache,target=/root/.npm npm ci --include=dev \
    && npm run lint \
    && npm run test -- --ci --reporters=default \
    && npm run build -- --mode production

FROM node:20.1@minor.0@pin
LABEL org.opencontainers.image.title="@name" \
      org.opencontainers.image.source="https://git.example.com/shop/@name" \
      org.opencontainers.image.licenses="Apache-2.0"
ARG DEBIAN_FRONTEND=noninteractive
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        @packages@clean
RUN groupadd --system --gid 10001 app \
    && useradd --system --uid 10001 --gid app --home-dir /srv --shell /usr/sbin/nologin app
WORKDIR /srv
ENV NODE_ENV=production PORT=8080
COPY --from=dependencies --chown=app:app /srv/node_modules ./node_modules
COPY --from=build --chown=app:app /srv/dist ./dist
COPY --chown=app:app package.json ./
USER @user
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s \
    CMD ["node", "dist/health.js"]
ENTRYPOINT ["node", "--enable-source-maps"]
CMD ["dist/server.js"]
"#;

const PYTHON: &str = r#"# syntax=docker/dockerfile:1
ARG PYTHON_VERSION=3.12.@minor
FROM python:${PYTHON_VERSION}@pin AS build
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        build-essential \
        @packages@clean
WORKDIR /build
@copy requirements.txt constraints.txt ./
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --requirement requirements.txt --constraint constraints.txt
@copy src/ ./src/
RUN <<EOF
set -eu
/opt/venv/bin/python -m compileall -q src
/opt/venv/bin/python -m unittest discover -s src -p '*_test.py'
for file in $(find src -name '*_test.py'); do
  rm "$file"
done
EOF

FROM python:${PYTHON_VERSION}@pin
LABEL org.opencontainers.image.title="@name" \
      org.opencontainers.image.vendor="Example"
# The application needs no shell and no package manager at run time.
RUN adduser --system --uid 10001 --group --no-create-home app
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    WORKERS=4 \
    LOG_LEVEL=info
WORKDIR /srv
COPY --from=build /opt/venv /opt/venv
COPY --from=build --chown=app:app /build/src /srv
VOLUME ["/srv/cache"]
USER @user
EXPOSE 8000/tcp
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=2s CMD ["python", "-m", "app.health"]
ENTRYPOINT ["gunicorn", "--bind", "0.0.0.0:8000"]
CMD ["app.main:application"]
"#;

const GO: &str = r#"# syntax=docker/dockerfile:1
FROM --platform=$BUILDPLATFORM golang:1.22.@minor-bookworm AS build
ARG TARGETOS
ARG TARGETARCH
ARG VERSION=0.0.0-dev
WORKDIR /src
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        @packages@clean
@copy go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
@copy . .
RUN --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    go vet ./... \
    && go test ./... \
    && CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
       go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /out/server ./cmd/server \
    && CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
       go build -trimpath -ldflags "-s -w" -o /out/migrate ./cmd/migrate

FROM gcr.io/distroless/static-debian12:nonroot AS migrate
COPY --from=build /out/migrate /migrate
COPY migrations/ /migrations/
USER 65532:65532
ENTRYPOINT ["/migrate", "--path", "/migrations"]

FROM gcr.io/distroless/static-debian12:nonroot
LABEL org.opencontainers.image.title="@name" \
      org.opencontainers.image.description="Serves @name" \
      org.opencontainers.image.source="https://git.example.com/shop/@name"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/server /server
COPY config/production.yaml /etc/@name/config.yaml
ENV CONFIG=/etc/@name/config.yaml GOMEMLIMIT=200MiB
USER 65532:65532
EXPOSE 8080 9090
ENTRYPOINT ["/server"]
CMD ["--listen", ":8080", "--metrics", ":9090"]
"#;

const JAVA: &str = r#"FROM eclipse-temurin:21.0.@minor_9-jdk-jammy AS build
WORKDIR /workspace
@copy mvnw pom.xml ./
@copy .mvn .mvn
RUN ./mvnw --batch-mode --no-transfer-progress dependency:go-offline
@copy src src
RUN ./mvnw --batch-mode --no-transfer-progress package -DskipTests=false \
    && mkdir -p target/layers \
    && java -Djarmode=layertools -jar target/@name.jar extract --destination target/layers

FROM eclipse-temurin:21.0.@minor_9-jre-jammy
LABEL maintainer="team@example.com" \
      org.opencontainers.image.title="@name" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        @packages@clean
RUN set -eux; \
    groupadd --gid 10001 app; \
    useradd --uid 10001 --gid app --no-create-home --shell /usr/sbin/nologin app; \
    mkdir -p /var/log/@name; \
    chown -R app:app /var/log/@name
WORKDIR /application
# Layers change at different rates: dependencies first, classes last.
COPY --from=build /workspace/target/layers/dependencies/ ./
COPY --from=build /workspace/target/layers/spring-boot-loader/ ./
COPY --from=build /workspace/target/layers/snapshot-dependencies/ ./
COPY --from=build /workspace/target/layers/application/ ./
ENV JAVA_TOOL_OPTIONS="-XX:MaxRAMPercentage=75 -XX:+ExitOnOutOfMemoryError" \
    SPRING_PROFILES_ACTIVE=production \
    SERVER_PORT=8080
USER @user
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --retries=3 \
    CMD curl --fail --silent http://localhost:8080/actuator/health || exit 1
ENTRYPOINT ["java", "org.springframework.boot.loader.launch.JarLauncher"]
"#;
