"""An integrated unit with nothing but grpcio: Ping, health and control on the port that the master gives.

The messages are so small that they are written by hand here; with grpcio-tools they come of the files in
packages/contract/proto.
"""

import argparse
import signal
import threading
from concurrent import futures

import grpc

SERVING = b"\x08\x01"  # HealthCheckResponse { status: SERVING }
ACCEPTED = b"\x0a\x00"  # Report { accepted {} }

stop = threading.Event()


def control(orders, _context):
    """The master has us in its charge while this stream is open; an order with field 2 asks us to stop."""
    yield ACCEPTED
    for order in orders:
        if order[:1] == b"\x12":
            print("asked to stop by the master")
            stop.set()
            return
        print("a master has me in its charge")


def service(name, **methods):
    return grpc.method_handlers_generic_handler(name, methods)


def serve(port):
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
    answer = grpc.unary_unary_rpc_method_handler
    server.add_generic_rpc_handlers(
        (
            service("proto.CoreService", Ping=answer(lambda _request, _context: b"")),
            service("grpc.health.v1.Health", Check=answer(lambda _request, _context: SERVING)),
            service("hsu.unit.v1.UnitControl", Control=grpc.stream_stream_rpc_method_handler(control)),
        )
    )
    if server.add_insecure_port(f"127.0.0.1:{port}") == 0:
        raise SystemExit(f"cannot listen on port {port}")
    server.start()
    return server


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--port", type=int, required=True)
    port = options.parse_args().port
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    server = serve(port)
    print(f"listening on port {port}")
    stop.wait()
    server.stop(grace=1).wait()
    print("stopped")


main()
