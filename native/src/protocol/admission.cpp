// The four rules of admission and the bookkeeping behind them. Engine thread.
#include "protocol/admission.h"

#include <cassert>

namespace ohws {
namespace {

// A full table is not searched for room more often than this, so that a flood of addresses cannot make
// every upgrade pay for a walk through it.
constexpr uint64_t kSweepEveryMs = 1000;

}  // namespace

Verdict Admission::CheckLimits(std::string_view ip) const {
  if (connection_count_ >= limits_.max_connections) return Verdict::kServerFull;
  const auto client = connections_.find(ip);
  const bool known = client != connections_.end();
  const size_t clients = connections_.size() + (known ? 0 : 1);
  if (clients > limits_.max_clients) return Verdict::kTooManyClients;
  const uint32_t open = known ? client->second : 0;
  if (open >= limits_.max_connections_per_client) return Verdict::kTooManyConnections;
  return Verdict::kAccept;
}

Verdict Admission::PreviewRate(std::string_view ip, uint64_t now_ms) const {
  if (!limits_.rate) return Verdict::kAccept;
  const auto entry = rates_.by_address.find(ip);
  if (entry == rates_.by_address.end() || now_ms > entry->second.until_ms) return Verdict::kAccept;
  if (entry->second.banned) return Verdict::kBanned;
  return entry->second.upgrades >= limits_.rate->max_upgrades ? Verdict::kRateExceeded : Verdict::kAccept;
}

Verdict Admission::Preview(std::string_view ip, uint64_t now_ms) const {
  const Verdict verdict = CheckLimits(ip);
  return verdict == Verdict::kAccept ? PreviewRate(ip, now_ms) : verdict;
}

Verdict Admission::Check(std::string_view ip, uint64_t now_ms) {
  const Verdict verdict = Preview(ip, now_ms);
  if (!limits_.rate) return verdict;
  const ConnectRateLimit& rate = *limits_.rate;
  if (verdict == Verdict::kRateExceeded) {
    rates_.by_address.find(ip)->second = {now_ms + rate.ban_ms, 0, true};
    return verdict;
  }
  if (verdict != Verdict::kAccept) return verdict;

  DropExpiredRates(now_ms);
  const auto entry = rates_.by_address.find(ip);
  if (entry != rates_.by_address.end()) {
    ConnectRates::Rate& window = entry->second;
    if (now_ms > window.until_ms) window = {now_ms + rate.window_ms, 0, false};
    ++window.upgrades;
  } else if (rates_.by_address.size() < rate.max_tracked_clients) {
    // With the table full of running windows and bans a new client goes uncounted: dropping one of those
    // would let a flood of addresses lift the bans.
    rates_.by_address.emplace(ip, ConnectRates::Rate{now_ms + rate.window_ms, 1, false});
  }
  return verdict;
}

void Admission::DropExpiredRates(uint64_t now_ms) {
  const bool full = rates_.by_address.size() >= limits_.rate->max_tracked_clients;
  const uint64_t pause_ms = full ? kSweepEveryMs : limits_.rate->window_ms;
  if (now_ms < rates_.last_sweep_ms + pause_ms) return;
  rates_.last_sweep_ms = now_ms;
  std::erase_if(rates_.by_address, [now_ms](const auto& entry) { return now_ms > entry.second.until_ms; });
}

void Admission::Add(std::string_view ip) {
  ++connection_count_;
  const auto client = connections_.find(ip);
  if (client != connections_.end()) {
    ++client->second;
  } else {
    connections_.emplace(ip, 1);
  }
}

void Admission::Remove(std::string_view ip) {
  const auto client = connections_.find(ip);
  assert(client != connections_.end());
  if (client == connections_.end()) return;
  --connection_count_;
  if (--client->second == 0) connections_.erase(client);
}

}  // namespace ohws
