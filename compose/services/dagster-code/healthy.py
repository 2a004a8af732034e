#!/opt/venv/bin/python -IS
"""Health checks of containers without curl: `healthy URL [JSON BODY [WORDS THAT MEAN TROUBLE]]`, `healthy grpc PORT`.

Only the standard library and nothing of ours, because it starts every few seconds. What it prints is kept by
Docker and shown by `dataflow status`.
"""

import re
import socket
import sys
import urllib.error
import urllib.request

TIMEOUT = 4
# An HTTP/2 client's first words, and an empty SETTINGS frame; a gRPC server answers with its own (type 4).
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])


def http(url, body=None, reject=None):
    request = urllib.request.Request(url, body and body.encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
        text = answer.read().decode(errors="replace")
    found = re.search(reject, text) if reject else None
    return f"{url} answered {found[0]}" if found else None


def grpc(port):
    with socket.create_connection(("127.0.0.1", int(port)), TIMEOUT) as connection:
        connection.settimeout(TIMEOUT)
        connection.sendall(PREFACE)
        head = connection.recv(9)
    return None if head[3:4] == b"\x04" else f"port {port} does not speak HTTP/2"


def main(arguments):
    try:
        trouble = grpc(arguments[1]) if arguments[0] == "grpc" else http(*arguments)
    except (OSError, urllib.error.URLError) as error:
        trouble = f"{' '.join(arguments[:2] if arguments[0] == 'grpc' else arguments[:1])}: {error}"
    print(trouble or "ok")
    return 1 if trouble else 0


sys.exit(main(sys.argv[1:]))
