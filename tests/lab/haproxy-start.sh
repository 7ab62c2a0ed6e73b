#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# An HAProxy on loopback for the lab, on a port that is free when it starts. It answers every request
# with 200 and whether its TLS session was resumed, in nginx's words: r or a dot.
#
# haproxy-start.sh start DIR CHAIN KEY [BIND-OPTIONS]   prints pid=, port=, log=; one a line
# haproxy-start.sh stop DIR                             ends that one; silent if it has ended
#
# BIND-OPTIONS are put behind the certificate, e.g. 'ssl-max-ver TLSv1.2 no-tls-tickets'.
set -euo pipefail

usage() { sed -n 's/^# \(haproxy-start.sh .*\)/\1/p' "$0"; }
fail() { printf 'haproxy-start: %s\n' "$*" >&2; exit 1; }

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

serves() {
  timeout 5 openssl s_client -connect "127.0.0.1:$1" </dev/null >/dev/null 2>&1
}

start() {
  local directory=$1 certificate=$2 key=$3 options=${4:-} program port pid tries
  program=$(command -v haproxy || ls /usr/sbin/haproxy 2>/dev/null) || fail "haproxy is not installed"
  umask 077
  mkdir -p "$directory"
  directory=$(cd "$directory" && pwd)
  cat "$certificate" "$key" >"$directory/both.pem"
  # Between looking and listening another process may take the port: try again.
  for _ in 1 2 3 4 5; do
    # Below the range that the kernel gives to outgoing connections.
    port=$((10000 + (RANDOM * 32768 + RANDOM) % 22000))
    if listens "$port"; then continue; fi
    cat >"$directory/haproxy.cfg" <<END
global
  nbthread 1
  tune.ssl.cachesize 1000
defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 5s
frontend lab
  bind 127.0.0.1:$port ssl crt $directory/both.pem $options
  http-request return status 200 content-type text/plain lf-string "resumed=%[ssl_fc_is_resumed,iif(r,.)]\n"
END
    setsid "$program" -f "$directory/haproxy.cfg" >"$directory/log" 2>&1 </dev/null &
    pid=$!
    for tries in $(seq 100); do
      kill -0 "$pid" 2>/dev/null || break
      if serves "$port"; then
        printf '%s\n' "$pid" >"$directory/leader"
        printf 'pid=%s\nport=%s\nlog=%s\n' "$pid" "$port" "$directory/log"
        return 0
      fi
      sleep 0.05
    done
    kill "$pid" 2>/dev/null || true
    grep -q 'cannot bind' "$directory/log" || break
  done
  tail -n 20 "$directory/log" >&2
  fail "haproxy did not start"
}

stop() {
  [ -e "$1/leader" ] || return 0
  kill "$(cat "$1/leader")" 2>/dev/null || true
  rm -f "$1/leader"
}

case ${1:-} in
  start) [ $# -ge 4 ] || { usage >&2; exit 2; }; start "$2" "$3" "$4" "${5:-}" ;;
  stop) [ $# -eq 2 ] || { usage >&2; exit 2; }; stop "$2" ;;
  -h | --help) usage ;;
  *) usage >&2; exit 2 ;;
esac
