// What the endpoints of a script are configured with, in the strings of the records, from a few bytes.
#pragma once

#include <cstdint>
#include <string>

#include "fuzz.h"
#include "wire/record.h"

namespace ohws::fuzz {

constexpr uint64_t kMessageBytes = 300'000;

// What holds for the whole of a script; each byte is a set of bits.
struct Options {
  explicit Options(Input& input)
      : rules(input.Byte()),
        limits(input.Byte()),
        where(input.Byte()),
        traffic(input.Byte()),
        tls(input.Byte()) {}

  uint8_t rules;
  uint8_t limits;
  uint8_t where;
  uint8_t traffic;
  uint8_t tls;

  bool netstack() const { return (rules & 1) != 0; }
  bool server_tls() const { return (where & 8) != 0; }
  bool listens_v6() const { return (where & 1) != 0; }
  bool listens_on_file() const { return (where & 2) != 0; }
  bool finds_stale_file() const { return listens_on_file() && (tls & 16) != 0; }
  bool listens_abstract() const { return (where & 4) != 0; }
  // Which certificates the server begins with; the others than 0, 1, 2 and 5 can be used.
  uint8_t certificates() const { return (tls & 3) == 3 ? tls >> 4 & 7 : 6; }
  bool bad_certificates() const { return server_tls() && (certificates() < 3 || certificates() == 5); }
  // Nobody can listen there.
  bool bad_address() const { return (limits & 1) != 0; }
};

// The socket file of a script; the abstract name is the same, without a file.
std::string SocketPath();
std::string AbstractName();

std::string ListenStrings(const Options& options);
// TLS alone, for a reload; `choice` is which certificates.
std::string TlsStrings(const Options& options, uint8_t choice);

struct PeerPorts {
  uint16_t plain;
  uint16_t plain_v6;
  uint16_t tls;
};
std::string ConnectStrings(const Options& options, uint8_t bits, uint8_t tls_bits, const PeerPorts& ports);

}  // namespace ohws::fuzz
