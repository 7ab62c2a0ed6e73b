#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# An nginx on loopback for the lab, on a port that is free when it starts. It answers every request
# with 200 and whether its TLS session was resumed.
#
# nginx-start.sh start DIR CHAIN KEY [TLS-DIRECTIVES]   prints pid=, port=, log=; one a line
# nginx-start.sh stop DIR                               ends that one; silent if it has ended
#
# TLS-DIRECTIVES are put into the server's block, e.g. 'ssl_protocols TLSv1.2; ssl_session_tickets off;'.
set -euo pipefail

usage() { sed -n 's/^# \(nginx-start.sh .*\)/\1/p' "$0"; }
fail() { printf 'nginx-start: %s\n' "$*" >&2; exit 1; }

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

serves() {
  timeout 5 openssl s_client -connect "127.0.0.1:$1" </dev/null >/dev/null 2>&1
}

start() {
  local directory=$1 certificate=$2 key=$3 directives=${4:-} program port pid tries
  program=$(command -v nginx || ls /usr/sbin/nginx 2>/dev/null) || fail "nginx is not installed"
  umask 077
  mkdir -p "$directory"
  directory=$(cd "$directory" && pwd)
  certificate=$(realpath "$certificate")
  key=$(realpath "$key")
  # Between looking and listening another process may take the port: try again.
  for _ in 1 2 3 4 5; do
    # Below the range that the kernel gives to outgoing connections.
    port=$((10000 + (RANDOM * 32768 + RANDOM) % 22000))
    if listens "$port"; then continue; fi
    cat >"$directory/nginx.conf" <<END
daemon off;
master_process off;
pid $directory/pid;
error_log stderr;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path $directory/body;
  proxy_temp_path $directory/proxy;
  fastcgi_temp_path $directory/fastcgi;
  uwsgi_temp_path $directory/uwsgi;
  scgi_temp_path $directory/scgi;
  server {
    listen 127.0.0.1:$port ssl;
    ssl_certificate $certificate;
    ssl_certificate_key $key;
    $directives
    location / { default_type text/plain; return 200 "resumed=\$ssl_session_reused\n"; }
  }
}
END
    setsid "$program" -p "$directory" -c "$directory/nginx.conf" >"$directory/log" 2>&1 </dev/null &
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
    grep -q 'Address already in use' "$directory/log" || break
  done
  tail -n 20 "$directory/log" >&2
  fail "nginx did not start"
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
