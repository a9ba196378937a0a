# docker build -t zerosum . ; docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/work" zerosum train digits
# For an NVIDIA GPU: docker build --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cu130 -t zerosum .
#                    docker run --gpus all ...
FROM python:3.11-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.11-slim
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
COPY constraints.txt /
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir --constraint /constraints.txt torch --index-url $TORCH_INDEX \
    && pip install --no-cache-dir --constraint /constraints.txt "zerosum[serve] @ file://$(ls /wheels/*.whl)" \
    && useradd --create-home --uid 10001 zerosum
USER 10001
WORKDIR /work
ENV ZEROSUM_CACHE=/tmp/zerosum
ENTRYPOINT ["zerosum"]
CMD ["--help"]
