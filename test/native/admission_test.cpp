// Admission: the rules of ohos-behaviour.md §3.2 at their borders, and against a model that forgets nothing.
#include "protocol/admission.h"

#include <algorithm>
#include <map>

#include "check.h"

namespace ohws {
namespace {

using check::Random;

constexpr uint64_t kStart = 5'000'000;
constexpr uint64_t kSecond = 1000;

AdmissionLimits Limits(uint32_t max_clients, uint32_t max_connections_per_client) {
  return {max_clients, max_connections_per_client, std::nullopt, UINT64_MAX};
}

AdmissionLimits RateOnly(ConnectRateLimit rate = {}) { return {1000, 1'000'000, rate, UINT64_MAX}; }

Verdict Connect(Admission& admission, std::string_view ip, uint64_t now_ms = kStart) {
  const Verdict verdict = admission.Check(ip, now_ms);
  if (verdict == Verdict::kAccept) admission.Add(ip);
  return verdict;
}

TEST(a_client_is_an_address) {  // server-limits-ip-01-d
  Admission admission(Limits(2, 10));
  CHECK_EQ(Connect(admission, "127.0.0.1"), Verdict::kAccept);
  CHECK_EQ(Connect(admission, "127.0.0.2"), Verdict::kAccept);
  CHECK_EQ(Connect(admission, "127.0.0.3"), Verdict::kTooManyClients);
  CHECK_EQ(Connect(admission, "127.0.0.1"), Verdict::kAccept);  // known
  CHECK_EQ(admission.client_count(), 2u);
}

TEST(connections_of_one_client) {  // server-limits-one-01-d
  Admission admission(Limits(10, 2));
  CHECK_EQ(Connect(admission, "127.0.0.1"), Verdict::kAccept);
  CHECK_EQ(Connect(admission, "127.0.0.1"), Verdict::kAccept);
  CHECK_EQ(Connect(admission, "127.0.0.1"), Verdict::kTooManyConnections);
  CHECK_EQ(Connect(admission, "127.0.0.2"), Verdict::kAccept);
}

TEST(connections_of_all_clients) {
  AdmissionLimits limits = Limits(10, 10);
  limits.max_connections = 2;
  Admission admission(limits);
  CHECK_EQ(Connect(admission, "a"), Verdict::kAccept);
  CHECK_EQ(Connect(admission, "b"), Verdict::kAccept);
  CHECK_EQ(Connect(admission, "a"), Verdict::kServerFull);
  CHECK_EQ(Connect(admission, "c"), Verdict::kServerFull);
  admission.Remove("a");
  CHECK_EQ(Connect(admission, "c"), Verdict::kAccept);
  CHECK_EQ(Connect(admission, "a"), Verdict::kServerFull);
}

TEST(zero_means_nobody) {
  Admission no_clients(Limits(0, 10));
  CHECK_EQ(Connect(no_clients, "::1"), Verdict::kTooManyClients);
  Admission no_connections(Limits(10, 0));
  CHECK_EQ(Connect(no_connections, "::1"), Verdict::kTooManyConnections);
}

TEST(leaving_makes_room) {
  Admission admission(Limits(1, 2));
  CHECK_EQ(Connect(admission, "a"), Verdict::kAccept);
  CHECK_EQ(Connect(admission, "a"), Verdict::kAccept);
  admission.Remove("a");
  CHECK_EQ(Connect(admission, "b"), Verdict::kTooManyClients);  // one of a's is left
  CHECK_EQ(Connect(admission, "a"), Verdict::kAccept);
  admission.Remove("a");
  admission.Remove("a");
  CHECK_EQ(admission.client_count(), 0u);
  CHECK_EQ(Connect(admission, "b"), Verdict::kAccept);
}

TEST(no_rate_limit_unless_asked_for) {  // server-limits-ban-01-d
  Admission admission(Limits(1, 1000));
  for (int i = 0; i < 200; ++i) CHECK_EQ(Connect(admission, "a"), Verdict::kAccept);
  CHECK_EQ(admission.tracked_client_count(), 0u);
}

TEST(the_52nd_upgrade_of_a_window_bans) {  // server-limits-ban-01
  Admission admission(RateOnly());
  for (int i = 0; i < 51; ++i) CHECK_EQ(Connect(admission, "a"), Verdict::kAccept);
  CHECK_EQ(Connect(admission, "b"), Verdict::kAccept);
  CHECK_EQ(Connect(admission, "a"), Verdict::kRateExceeded);
  CHECK_EQ(Connect(admission, "a"), Verdict::kBanned);
  CHECK_EQ(Connect(admission, "b"), Verdict::kAccept);
}

TEST(a_ban_counts_from_its_moment_and_is_not_prolonged) {
  Admission admission(RateOnly());
  for (int i = 0; i < 51; ++i) CHECK_EQ(Connect(admission, "a"), Verdict::kAccept);
  const uint64_t banned = kStart + 40 * kSecond;
  CHECK_EQ(Connect(admission, "a", banned), Verdict::kRateExceeded);
  CHECK_EQ(Connect(admission, "a", banned + 30 * kSecond), Verdict::kBanned);
  CHECK_EQ(Connect(admission, "a", banned + 60 * kSecond), Verdict::kBanned);
  for (int i = 0; i < 51; ++i) {
    CHECK_EQ(Connect(admission, "a", banned + 60 * kSecond + 1), Verdict::kAccept);
  }
  CHECK_EQ(Connect(admission, "a", banned + 60 * kSecond + 1), Verdict::kRateExceeded);
}

TEST(the_window_opens_with_the_first_upgrade) {
  Admission admission(RateOnly());
  CHECK_EQ(Connect(admission, "a"), Verdict::kAccept);
  for (int i = 0; i < 50; ++i) CHECK_EQ(Connect(admission, "a", kStart + 59 * kSecond), Verdict::kAccept);
  // One millisecond past the window: a new one, with this upgrade as its first.
  for (int i = 0; i < 51; ++i) {
    CHECK_EQ(Connect(admission, "a", kStart + 60 * kSecond + 1), Verdict::kAccept);
  }
  CHECK_EQ(Connect(admission, "a", kStart + 120 * kSecond + 1), Verdict::kRateExceeded);
}

TEST(the_last_moment_of_the_window_belongs_to_it) {
  Admission admission(RateOnly());
  for (int i = 0; i < 51; ++i) CHECK_EQ(Connect(admission, "a"), Verdict::kAccept);
  CHECK_EQ(Connect(admission, "a", kStart + 60 * kSecond), Verdict::kRateExceeded);
}

TEST(refusals_by_the_limits_are_not_counted) {
  Admission admission({1, 1, ConnectRateLimit{}});
  CHECK_EQ(Connect(admission, "a"), Verdict::kAccept);
  for (int i = 0; i < 100; ++i) CHECK_EQ(Connect(admission, "a"), Verdict::kTooManyConnections);
  for (int i = 0; i < 100; ++i) CHECK_EQ(Connect(admission, "b"), Verdict::kTooManyClients);
  admission.Remove("a");
  CHECK_EQ(Connect(admission, "b"), Verdict::kAccept);
  admission.Remove("b");
  for (int i = 0; i < 50; ++i) {
    CHECK_EQ(Connect(admission, "a"), Verdict::kAccept);
    admission.Remove("a");
  }
  CHECK_EQ(Connect(admission, "a"), Verdict::kRateExceeded);
}

TEST(the_limits_come_before_the_ban) {
  Admission admission({1, 1, ConnectRateLimit{1, 60'000, 60'000, 16}});
  CHECK_EQ(Connect(admission, "a"), Verdict::kAccept);
  admission.Remove("a");
  CHECK_EQ(Connect(admission, "a"), Verdict::kRateExceeded);
  CHECK_EQ(Connect(admission, "a"), Verdict::kBanned);
  CHECK_EQ(Connect(admission, "b"), Verdict::kAccept);
  CHECK_EQ(Connect(admission, "a"), Verdict::kTooManyClients);
}

TEST(preview_leaves_no_trace) {
  Admission admission(RateOnly({2, 60'000, 60'000, 16}));
  for (int i = 0; i < 10; ++i) CHECK_EQ(admission.Preview("a", kStart), Verdict::kAccept);
  CHECK_EQ(admission.tracked_client_count(), 0u);
  CHECK_EQ(Connect(admission, "a"), Verdict::kAccept);
  CHECK_EQ(Connect(admission, "a"), Verdict::kAccept);
  for (int i = 0; i < 3; ++i) CHECK_EQ(admission.Preview("a", kStart), Verdict::kRateExceeded);
  CHECK_EQ(Connect(admission, "a"), Verdict::kRateExceeded);
  CHECK_EQ(admission.Preview("a", kStart), Verdict::kBanned);
}

TEST(old_entries_are_dropped) {
  Admission admission(RateOnly());
  for (int i = 0; i < 500; ++i) {
    const std::string ip = std::to_string(i);
    CHECK_EQ(Connect(admission, ip), Verdict::kAccept);
    admission.Remove(ip);
  }
  CHECK_EQ(admission.tracked_client_count(), 500u);
  CHECK_EQ(Connect(admission, "last", kStart + 61 * kSecond), Verdict::kAccept);
  CHECK_EQ(admission.tracked_client_count(), 1u);
}

TEST(a_full_table_stays_full_and_keeps_its_bans) {
  constexpr size_t kMost = 8;
  Admission admission(RateOnly({1, 60'000, 60'000, kMost}));
  CHECK_EQ(Connect(admission, "bad"), Verdict::kAccept);
  CHECK_EQ(Connect(admission, "bad"), Verdict::kRateExceeded);
  for (size_t i = 1; i < kMost; ++i) CHECK_EQ(Connect(admission, std::to_string(i)), Verdict::kAccept);
  CHECK_EQ(admission.tracked_client_count(), kMost);
  for (int i = 0; i < 5; ++i) CHECK_EQ(Connect(admission, "uncounted"), Verdict::kAccept);
  CHECK_EQ(admission.tracked_client_count(), kMost);
  CHECK_EQ(Connect(admission, "bad"), Verdict::kBanned);
  // Once the windows are over there is room again.
  CHECK_EQ(Connect(admission, "next", kStart + 61 * kSecond), Verdict::kAccept);
  CHECK_EQ(Connect(admission, "next", kStart + 61 * kSecond), Verdict::kRateExceeded);
}

TEST(a_full_table_is_searched_for_room_before_the_window_is_over) {
  Admission admission(RateOnly({1, 60'000, 5'000, 2}));
  CHECK_EQ(Connect(admission, "bad"), Verdict::kAccept);
  CHECK_EQ(Connect(admission, "bad"), Verdict::kRateExceeded);
  CHECK_EQ(Connect(admission, "other"), Verdict::kAccept);
  CHECK_EQ(Connect(admission, "next", kStart + 6 * kSecond), Verdict::kAccept);  // in place of the old ban
  CHECK_EQ(Connect(admission, "next", kStart + 6 * kSecond), Verdict::kRateExceeded);
}

TEST(an_unknown_address_may_be_asked_for_at_time_zero) {
  Admission admission(RateOnly());
  CHECK_EQ(admission.Check("a", 0), Verdict::kAccept);
  CHECK_EQ(admission.Preview("b", 0), Verdict::kAccept);
}

// §3.2 word for word, with no thought of memory.
class Model {
 public:
  explicit Model(const AdmissionLimits& limits) : limits_(limits) {}

  Verdict Check(const std::string& ip, uint64_t now_ms) {
    uint32_t clients = 0;
    uint64_t connections = 0;
    for (const auto& [address, open] : open_) {
      clients += open != 0 && address != ip;
      connections += open;
    }
    if (connections + 1 > limits_.max_connections) return Verdict::kServerFull;
    if (clients + 1 > limits_.max_clients) return Verdict::kTooManyClients;
    if (open_[ip] + 1 > limits_.max_connections_per_client) return Verdict::kTooManyConnections;
    if (banned_at_.contains(ip) && now_ms - banned_at_[ip] <= limits_.rate->ban_ms) return Verdict::kBanned;
    if (!window_start_.contains(ip) || now_ms - window_start_[ip] > limits_.rate->window_ms) {
      window_start_[ip] = now_ms;
      upgrades_[ip] = 0;
    }
    if (upgrades_[ip] >= limits_.rate->max_upgrades) {
      banned_at_[ip] = now_ms;
      return Verdict::kRateExceeded;
    }
    ++upgrades_[ip];
    ++open_[ip];
    return Verdict::kAccept;
  }
  bool Leave(const std::string& ip) { return open_[ip] != 0 && open_[ip]-- != 0; }

 private:
  AdmissionLimits limits_;
  std::map<std::string, uint32_t> open_, upgrades_;
  std::map<std::string, uint64_t> window_start_, banned_at_;
};

TEST(random_traffic_agrees_with_the_model) {
  Random random(1);
  const AdmissionLimits limits{5, 4, ConnectRateLimit{7, 3000, 4000, 100}, 15};
  Admission admission(limits);
  Model model(limits);
  uint64_t now_ms = kStart;
  std::map<Verdict, int> seen;
  int wrong = 0;
  for (int i = 0; i < 200'000; ++i) {
    const std::string ip = "10.0.0." + std::to_string(random.Below(9));
    now_ms += random.Below(100) < 97 ? random.Below(80) : random.Below(5000);
    if (random.Below(2) == 0) {
      if (model.Leave(ip)) admission.Remove(ip);
      continue;
    }
    const Verdict expected = model.Check(ip, now_ms);
    if (admission.Preview(ip, now_ms) != expected) ++wrong;
    const Verdict verdict = Connect(admission, ip, now_ms);
    wrong += verdict != expected;
    ++seen[verdict];
  }
  CHECK_EQ(wrong, 0);
  CHECK_EQ(seen.size(), 6u);
}

}  // namespace
}  // namespace ohws
