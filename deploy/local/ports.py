"""TCP ports on the loopback interface."""

import socket
from collections.abc import Iterable, Mapping

LOOPBACK = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether nobody listens on this port of the loopback interface."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def next_free(wanted: int, taken: Iterable[int] = ()) -> int:
    """The first free port from `wanted` on that is not in `taken`."""
    spoken_for = set(taken)
    for port in range(wanted, 65536):
        if port not in spoken_for and is_free(port):
            return port
    message = f"No free port from {wanted} on."
    raise OSError(message)


def any_free(count: int) -> list[int]:
    """As many different free ports as asked for, chosen by the operating system."""
    probes = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(count)]
    try:
        for probe in probes:
            probe.bind((LOOPBACK, 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def choose_ports(wanted: Mapping[str, int]) -> dict[str, int]:
    """A free port for each name: the wanted one, or the next that is free and that no other name has or wants."""
    chosen: dict[str, int] = {}
    for name, port in wanted.items():
        if port not in chosen.values() and is_free(port):
            chosen[name] = port
    for name, port in wanted.items():
        if name not in chosen:
            chosen[name] = next_free(port, {*wanted.values(), *chosen.values()})
    return chosen
