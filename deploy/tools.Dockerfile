# The sandbox, and the jobs that prepare the stack's configuration and its database.
#     docker build -f deploy/tools.Dockerfile .
ARG PYTHON=3.11-slim-bookworm

FROM python:${PYTHON} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN ["python", "-m", "venv", "/app"]
COPY requirements/local.txt requirements.txt
RUN ["/app/bin/pip", "install", "--require-hashes", "--no-deps", "-r", "requirements.txt"]

FROM python:${PYTHON}
RUN ["useradd", "--uid", "10001", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", "oja"]
# A new named volume takes its owner from the folder that it is first mounted over.
RUN ["install", "--directory", "--mode", "0750", "--owner", "oja", "--group", "oja", \
     "/state", "/out", "/out/admin", "/out/catalog", "/out/gateway", "/out/identity", \
     "/out/notifier", "/out/ordering", "/out/owners", "/out/payments", "/out/postgres", \
     "/out/rabbitmq", "/out/redis", "/out/sandbox"]
COPY --from=build /app /app
COPY deploy/compose/start.py deploy/compose/ready.py /app/
# The same layout as the checkout: the tools find the templates beside themselves.
COPY libs/events/src /oja/libs/events/src
COPY gateway /oja/gateway
COPY deploy /oja/deploy
ENV PATH=/app/bin:$PATH PYTHONPATH=/oja/deploy:/oja/libs/events/src \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
ENTRYPOINT ["python", "/app/start.py"]
