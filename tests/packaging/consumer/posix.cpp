// SPDX-License-Identifier: BSL-1.0
#include <cotter/posix/key_file_vault.hpp>

int main() {
  cotter::posix::key_file_vault vault("/nowhere/key");
  cotter::seal_key key;
  return vault.key(key).error().what == cotter::errc::state_absent ? 0 : 1;
}
