"""Threat 8: the network."""

from __future__ import annotations

import pytest

attack = pytest.mark.attack


@attack("""
import socket


def attacked(x):
    families = [socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, socket.AF_NETLINK, socket.AF_PACKET, 40, 38]
    for family in families:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
            attempt(f"socket {family} {kind}", socket.socket, family, kind)
            attempt(f"libc {family} {kind}", lambda: system(libc.socket(int(family), int(kind), 0)))
    attempt("pair", socket.socketpair)
    verdict()
""")
def test_no_socket_can_be_made(result):
    result.was_refused("seccomp")


@attack("""
import http.client, socket, urllib.request


def attacked(x):
    attempt("TCP", socket.create_connection, ("127.0.0.1", 22), 0.2)
    attempt("server", socket.create_server, ("127.0.0.1", 0))
    attempt("DNS", socket.getaddrinfo, "example.org", 80)
    attempt("DNS of libc", lambda: socket.gethostbyname("example.org"))
    attempt("HTTP", urllib.request.urlopen, "http://127.0.0.1/", None, 0.2)
    attempt("torch", lambda: torch.hub.download_url_to_file("http://127.0.0.1/", "loot", progress=False))
    verdict()
""")
def test_connections_and_names_are_refused(result):
    result.was_refused("seccomp")


@attack("""
import socket


def attacked(x):
    channel = socket.socket(fileno=os.dup(3))
    attempt("connect", lambda: channel.connect("\\0stray") or True)
    attempt("bind", lambda: channel.bind("\\0stray") or True)
    attempt("listen", lambda: channel.listen() or True)
    attempt("pass a descriptor", lambda: socket.send_fds(channel, [b"x"], [0]))
    attempt("take a descriptor", lambda: socket.recv_fds(channel, 1, 1))
    verdict()
""")
def test_the_channel_cannot_be_turned_into_another_socket(result):
    result.was_refused("seccomp")
