# syntax=docker/dockerfile:1
# The payment service in a container: `web` (the routes), `worker` (the queue's consumers and the relay) or `migrate` (the database's schema).
#
#   docker build --tag payments .
#   docker run --read-only --cap-drop ALL --security-opt no-new-privileges --env-file web.env --publish 8443:8443 payments web
#
# It speaks HTTPS alone, with a certificate that it makes as it starts, and writes nothing to its file system. Its variables are those of the functions
# (payments/functions.py) and payments/container/settings.py; `web` answers whoever has one of the keys in API_KEYS, for example
# {"a-shop": "a key of 20 characters or more"}.

# The Python of payments/functions.py, as the functions have it. The tag says the release; whoever pushes to the registry could still change what is
# behind it. To pin the very bytes, ask for the digest where the registry is reached, and append it:
#   docker buildx imagetools inspect python:3.13.12-slim-bookworm --format '{{.Manifest.Digest}}'   ->   python:3.13.12-slim-bookworm@sha256:...
ARG BASE=python:3.13.12-slim-bookworm

FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY payments/requirements-container.txt /tmp/requirements.txt
# Wheels alone: building one would run code that no hash speaks for.
RUN python -m venv --without-pip /opt/payments \
    && python -m pip --python /opt/payments/bin/python install --require-hashes --only-binary :all: --no-deps --requirement /tmp/requirements.txt
COPY payments /app/payments
# AWS's authorities for RDS, by which the database proves its name. The digest is that of ops/package_trust.py, which says how to renew it.
# For a database with another authority, mount its certificates (PEM) there.
ADD --checksum=sha256:e5bb2084ccf45087bda1c9bffdea0eb15ee67f0b91646106e466714f9de3c7e3 --chmod=444 \
    https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem /app/payments/trust/bundle.pem
# Compiled now: later nothing can be written. By hash, as the times of the files change from build to build.
RUN python -m compileall -q --invalidation-mode unchecked-hash /opt/payments/lib /app && chmod -R a+rX,go-w /app /opt/payments

FROM ${BASE}
ENV PATH=/opt/payments/bin:$PATH PYTHONPATH=/app PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PYTHONSAFEPATH=1
COPY --from=build /opt/payments /opt/payments
COPY --from=build /app /app
WORKDIR /app
# A number, so that a platform that refuses root can tell without looking into the image.
USER 10001:10001
EXPOSE 8443
# Told to stop, it takes nothing more, finishes what it began (GRACE, 25 s unless set), and ends with status 0: give it longer than that to do so.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["python", "-m", "payments.container", "health"]
ENTRYPOINT ["python", "-m", "payments.container"]
CMD ["web"]
