"""Free TCP ports on the loopback interface."""

import socket
from collections.abc import Iterable, Mapping

LOOPBACK = "127.0.0.1"


def is_free(port: int) -> bool:
    """Return whether no process listens on this port of the loopback interface."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def next_free(wanted: int, taken: Iterable[int] = ()) -> int:
    """Return the first free port from `wanted` on that is not in `taken`.

    Raises:
        OSError: there is none.
    """
    excluded = set(taken)
    for port in range(wanted, 65536):
        if port not in excluded and is_free(port):
            return port
    message = f"No free port from {wanted} on."
    raise OSError(message)


def any_free(count: int) -> list[int]:
    """Return that many different free ports, chosen by the operating system."""
    # All sockets stay open until the last one is bound: otherwise the system could give the same port twice.
    probes = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(count)]
    try:
        for probe in probes:
            probe.bind((LOOPBACK, 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def choose_ports(wanted: Mapping[str, int]) -> dict[str, int]:
    """Return a free port for each name: the wanted one, else the next free one that no other name has or wants."""
    chosen: dict[str, int] = {}
    for name, port in wanted.items():
        if port not in chosen.values() and is_free(port):
            chosen[name] = port
    for name, port in wanted.items():
        if name not in chosen:
            chosen[name] = next_free(port, {*wanted.values(), *chosen.values()})
    return chosen
