// Any sequence of upgrades, connections and ends: the verdicts are those of a naive count, and nothing is
// ever above its limit.
#include "protocol/admission.h"

#include <map>

#include "fuzz.h"

namespace ohws::fuzz {
namespace {

struct Client {
  uint32_t open = 0;
  uint64_t upgrades = 0;  // of the window that ends at until_ms
  uint64_t until_ms = 0;  // of the window, or of the ban
  bool seen = false;
  bool banned = false;
};

AdmissionLimits ReadLimits(Input& input) {
  AdmissionLimits limits;
  limits.max_clients = input.Byte() % 5;
  limits.max_connections_per_client = input.Byte() % 5;
  if (input.Flag()) limits.max_connections = input.Byte() % 9;
  if (input.Flag()) {
    limits.rate = ConnectRateLimit{.max_upgrades = 1 + input.Below(4),
                                   .window_ms = input.Below(3000),
                                   .ban_ms = input.Below(3000),
                                   .max_tracked_clients = 1 + input.Below(8)};
  }
  return limits;
}

}  // namespace

void FuzzOne(Input input) {
  const AdmissionLimits limits = ReadLimits(input);
  ConnectRates shared;
  Admission admission(limits, input.Flag() ? &shared : nullptr);
  // With fewer places than clients some are not counted: their verdicts are not foreseen.
  const size_t addresses = 1 + input.Below(6);
  const bool all_tracked = !limits.rate || limits.rate->max_tracked_clients >= addresses;

  std::map<std::string, Client> clients;
  uint64_t now_ms = 1;
  uint64_t open = 0;
  while (!input.empty()) {
    const uint8_t step = input.Byte();
    const std::string ip = "10.0.0." + std::to_string(step / 8 % addresses);
    Client& client = clients[ip];
    switch (step % 8) {
      case 0:
        now_ms += input.Short();
        break;
      case 1:
        if (client.open == 0) break;
        admission.Remove(ip);
        --client.open;
        --open;
        break;
      default: {
        const auto busy = static_cast<uint64_t>(
            std::ranges::count_if(clients, [](const auto& entry) { return entry.second.open != 0; }));
        Verdict expected = Verdict::kAccept;
        const bool current = client.seen && now_ms <= client.until_ms;
        if (open >= limits.max_connections) {
          expected = Verdict::kServerFull;
        } else if (busy + (client.open == 0 ? 1 : 0) > limits.max_clients) {
          expected = Verdict::kTooManyClients;
        } else if (client.open >= limits.max_connections_per_client) {
          expected = Verdict::kTooManyConnections;
        } else if (limits.rate && current && client.banned) {
          expected = Verdict::kBanned;
        } else if (limits.rate && current && client.upgrades >= limits.rate->max_upgrades) {
          expected = Verdict::kRateExceeded;
        }
        const Verdict preview = admission.Preview(ip, now_ms);
        const Verdict verdict = admission.Check(ip, now_ms);
        REQUIRE(verdict == preview);
        if (all_tracked) REQUIRE(verdict == expected);
        if (limits.rate && verdict == Verdict::kRateExceeded) {
          client = {client.open, 0, now_ms + limits.rate->ban_ms, true, true};
        }
        if (verdict != Verdict::kAccept) break;
        if (limits.rate && !current) client = {client.open, 0, now_ms + limits.rate->window_ms, true, false};
        ++client.upgrades;
        if (step % 8 < 4) break;  // an upgrade that came to nothing
        admission.Add(ip);
        ++client.open;
        ++open;
      }
    }
    REQUIRE(open <= limits.max_connections && client.open <= limits.max_connections_per_client);
    REQUIRE(admission.client_count() <= limits.max_clients);
    REQUIRE(!limits.rate || admission.tracked_client_count() <= limits.rate->max_tracked_clients);
  }
  for (auto& [ip, client] : clients) {
    for (; client.open != 0; --client.open) admission.Remove(ip);
  }
  REQUIRE(admission.client_count() == 0);
}

}  // namespace ohws::fuzz
