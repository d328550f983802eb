// May a client connect to this server? Counts connections, clients (that is, addresses) and, if asked
// to, their upgrades per minute (ohos-behaviour.md §3.2; S5 to S9). One object per server; not synchronised:
// engine thread, or under the server's lock if it has several.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace ohws {

// A client that asks for more than `max_upgrades` accepted upgrades in a window is banned. The window opens
// with its first upgrade; an upgrade more than `window_ms` later opens a new one (S9).
struct ConnectRateLimit {
  uint64_t max_upgrades = 51;  // 1 or more
  uint64_t window_ms = 60'000;
  uint64_t ban_ms = 60'000;
  size_t max_tracked_clients = 65'536;  // addresses remembered at once, 1 or more
};

struct AdmissionLimits {
  uint32_t max_clients = 10;                 // distinct addresses; 0: nobody (S5, S7)
  uint32_t max_connections_per_client = 10;  // open connections of one address; 0: nobody
  std::optional<ConnectRateLimit> rate;      // off without a value
  uint64_t max_connections = UINT64_MAX;     // open connections of all clients together
};

enum class Verdict : uint8_t {
  kAccept,
  kServerFull,
  kTooManyClients,
  kTooManyConnections,
  kBanned,
  kRateExceeded,  // this attempt earned the ban
};

struct AddressHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
template <typename Value>
using ByAddress = std::unordered_map<std::string, Value, AddressHash, std::equal_to<>>;

// What is remembered of upgrades in a short time, and the bans they led to. Listeners may share it (S9);
// whoever shares it between threads guards it.
struct ConnectRates {
  // One window of one client, or its ban. Dropped when the window and the ban are over.
  struct Rate {
    uint64_t until_ms;  // last moment of the window, or of the ban
    uint64_t upgrades;
    bool banned;
  };

  ByAddress<Rate> by_address;
  uint64_t last_sweep_ms = 0;
};

class Admission {
 public:
  // `shared` outlives it; without it, it remembers for itself.
  explicit Admission(const AdmissionLimits& limits, ConnectRates* shared = nullptr)
      : limits_(limits), rates_(shared == nullptr ? own_rates_ : *shared) {}
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  // The verdict on an upgrade from `ip` at `now_ms` (milliseconds of any monotonic clock). The order of the
  // rules is that of Verdict. Counts an accepted upgrade towards the rate; refusals are not counted and do
  // not prolong a ban. `ip` is the address's text in one canonical form; equal text is the same client.
  Verdict Check(std::string_view ip, uint64_t now_ms);

  // What Check() would say, with no trace of the question: to refuse a hopeless client before its TLS
  // handshake.
  Verdict Preview(std::string_view ip, uint64_t now_ms) const;

  // A connection of `ip` begins to count, or ends. Every Add() is matched by one Remove(); call Add() right
  // after kAccept, so that upgrades in progress cannot pass the limits together.
  void Add(std::string_view ip);
  void Remove(std::string_view ip);

  size_t client_count() const { return connections_.size(); }
  size_t tracked_client_count() const { return rates_.by_address.size(); }

 private:
  Verdict CheckLimits(std::string_view ip) const;
  Verdict PreviewRate(std::string_view ip, uint64_t now_ms) const;
  void DropExpiredRates(uint64_t now_ms);

  const AdmissionLimits limits_;
  ByAddress<uint32_t> connections_;  // open connections per client; no zero entries
  uint64_t connection_count_ = 0;    // their sum
  ConnectRates own_rates_;
  ConnectRates& rates_;
};

}  // namespace ohws
