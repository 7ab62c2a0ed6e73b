#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# A Kamailio on loopback for the lab, on ports that are free when it starts.
#
# kamailio-start.sh start DIR CHAIN KEY   prints pid=, sips_port=, wss_port=, log=; one a line
# kamailio-start.sh stop DIR              ends that one; silent if it has ended
#
# DIR holds its configuration, sockets and log. KAMAILIO_MODULES names the folder of its modules
# where dpkg does not know it.
set -euo pipefail

usage() { sed -n 's/^# \(kamailio-start.sh .*\)/\1/p' "$0"; }
fail() { printf 'kamailio-start: %s\n' "$*" >&2; exit 1; }

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Two ports below the range that the kernel gives to outgoing connections.
pick_ports() {
  local port
  sips_port='' wss_port=''
  while [ -z "$wss_port" ]; do
    port=$((10000 + (RANDOM * 32768 + RANDOM) % 22000))
    listens "$port" && continue
    if [ -z "$sips_port" ]; then sips_port=$port; elif [ "$port" != "$sips_port" ]; then wss_port=$port; fi
  done
}

# It listens before it has read its key: only a handshake tells that it serves.
serves() {
  timeout 5 openssl s_client -connect "127.0.0.1:$1" </dev/null >/dev/null 2>&1
}

# Succeeds once both ports serve, fails as soon as the process has ended.
wait_until_it_serves() {
  local tries=0
  until serves "$sips_port" && serves "$wss_port"; do
    kill -0 "$pid" 2>/dev/null || return 1
    [ $((tries += 1)) -lt 100 ] || return 1
    sleep 0.1
  done
}

end() {
  local tries=0
  kill "$1" 2>/dev/null || return 0
  while kill -0 "$1" 2>/dev/null; do
    [ $((tries += 1)) -lt 50 ] || { kill -KILL -- "-$1" "$1" 2>/dev/null || true; return 0; }
    sleep 0.1
  done
}

start() {
  local here directory=$1 certificate=$2 key=$3 program modules
  here=$(cd "$(dirname "$0")" && pwd)
  program=$(command -v kamailio || ls /usr/sbin/kamailio 2>/dev/null) || fail "kamailio is not installed"
  modules=${KAMAILIO_MODULES:-$(dpkg-query -L kamailio 2>/dev/null | sed -n 's,/tm\.so$,/,p')}
  [ -e "$modules/tls.so" ] || fail "no tls.so in '$modules' (package kamailio-tls-modules)"
  [ -e "$modules/websocket.so" ] || fail "no websocket.so in '$modules' (package kamailio-websocket-modules)"

  umask 077
  mkdir -p "$directory"
  directory=$(cd "$directory" && pwd)
  certificate=$(realpath "$certificate")
  key=$(realpath "$key")

  # Between looking and listening another process may take a port: try again.
  for _ in 1 2 3 4 5; do
    pick_ports
    local template
    for template in kamailio.cfg tls.cfg; do
      sed -e "s|@SIPS_PORT@|$sips_port|g" -e "s|@WSS_PORT@|$wss_port|g" -e "s|@MODULES@|$modules|g" \
        -e "s|@DIRECTORY@|$directory|g" -e "s|@CERTIFICATE@|$certificate|g" -e "s|@KEY@|$key|g" \
        "$here/kamailio/$template.in" >"$directory/$template"
    done
    setsid "$program" -f "$directory/kamailio.cfg" -DD -E -m 64 -M 8 -Y "$directory" \
      -P "$directory/pid" >"$directory/log" 2>&1 </dev/null &
    pid=$!
    if wait_until_it_serves; then
      printf '%s\n' "$pid" >"$directory/leader"
      printf 'pid=%s\nsips_port=%s\nwss_port=%s\nlog=%s\n' "$pid" "$sips_port" "$wss_port" "$directory/log"
      return 0
    fi
    end "$pid"
    grep -q 'Address already in use' "$directory/log" || break
  done
  tail -n 20 "$directory/log" >&2
  fail "Kamailio did not start"
}

stop() {
  [ -e "$1/leader" ] || return 0
  end "$(cat "$1/leader")"
  rm -f "$1/leader"
}

case ${1:-} in
  start) [ $# -eq 4 ] || { usage >&2; exit 2; }; start "$2" "$3" "$4" ;;
  stop) [ $# -eq 2 ] || { usage >&2; exit 2; }; stop "$2" ;;
  -h | --help) usage ;;
  *) usage >&2; exit 2 ;;
esac
