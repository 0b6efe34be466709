# One recipe for all services; the command decides which process a container is.
#     docker build -f deploy/service.Dockerfile --build-arg SERVICE=catalog .
ARG PYTHON=3.11-slim-bookworm

FROM python:${PYTHON} AS build
ARG SERVICE
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /source
RUN ["python", "-m", "venv", "/app"]
COPY requirements/build.txt requirements/${SERVICE}.txt requirements/
RUN /app/bin/pip install --require-hashes --no-deps -r requirements/${SERVICE}.txt
RUN ["pip", "install", "--require-hashes", "-r", "requirements/build.txt"]
COPY libs libs
COPY services/${SERVICE} services/${SERVICE}
# Without build isolation: what builds the wheels is pinned like everything else.
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /wheels \
        ./libs/events ./libs/web ./services/${SERVICE}
RUN ["/app/bin/pip", "install", "--no-deps", "--no-index", "--find-links", "/wheels", \
     "oja-events", "oja-web"]
RUN /app/bin/pip install --no-deps --no-index --find-links /wheels oja-${SERVICE}

FROM python:${PYTHON}
RUN ["useradd", "--uid", "10001", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", "oja"]
COPY --from=build /app /app
COPY deploy/compose/start.py deploy/compose/ready.py /app/
ENV PATH=/app/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
ENTRYPOINT ["python", "/app/start.py"]
