// What many deadlines that come together cost one turn of the loop. The clock is the test's.
#include <libwebsockets.h>
#include <time.h>

#include <algorithm>

#include "engine_here.h"

namespace {

// Of the monotonic clock, in microseconds; and how much later it is at each look.
uint64_t clock_us = 1'000'000'000;
uint64_t look_us = 0;
// Of an entry that is put into one of lws's sorted lists with those that are there.
size_t comparisons = 0;
int (*compare_of_lws)(const lws_dll2_t*, const lws_dll2_t*) = nullptr;

int CountedCompare(const lws_dll2_t* a, const lws_dll2_t* b) {
  ++comparisons;
  return compare_of_lws(a, b);
}

}  // namespace

// The linker sends calls here (--wrap).
extern "C" {
int __real_clock_gettime(clockid_t clock, timespec* now);
int __wrap_clock_gettime(clockid_t clock, timespec* now);
int __wrap_clock_gettime(clockid_t clock, timespec* now) {
  if (clock != CLOCK_MONOTONIC) return __real_clock_gettime(clock, now);
  clock_us += look_us;
  now->tv_sec = static_cast<time_t>(clock_us / 1'000'000);
  now->tv_nsec = static_cast<long>(clock_us % 1'000'000 * 1000);
  return 0;
}

using Compare = int(const lws_dll2_t*, const lws_dll2_t*);
void __real_lws_dll2_add_sorted(lws_dll2_t* entry, lws_dll2_owner_t* list, Compare* compare);
void __wrap_lws_dll2_add_sorted(lws_dll2_t* entry, lws_dll2_owner_t* list, Compare* compare);
void __wrap_lws_dll2_add_sorted(lws_dll2_t* entry, lws_dll2_owner_t* list, Compare* compare) {
  compare_of_lws = compare;
  __real_lws_dll2_add_sorted(entry, list, CountedCompare);
}
}

namespace ohws::check {
namespace {

constexpr size_t kClients = 200;
constexpr uint64_t kTimeoutUs = 60'000'000;
// A clock that is so much later at each look leaves a turn this many of them.
constexpr uint64_t kLateLookUs = 1000;
constexpr size_t kMostOfTurn = 6;

// So many that have sent this, nearly at one moment.
std::vector<Client> Clients(EngineHere& engine, uint16_t port, std::string_view bytes) {
  std::vector<Client> clients;
  while (clients.size() < kClients) clients.emplace_back(port);
  for (const Client& client : clients) client.Send(bytes);
  while (engine.Stat("handshakes.pending") < kClients) engine.Turn(10);
  engine.Turn();
  return clients;
}

// A part of their requests.
std::vector<Client> HalfRequests(EngineHere& engine) {
  look_us = 1;
  return Clients(engine, engine.Listen({}), kUpgrade.substr(0, 20));
}

// Whole ones, that JavaScript thinks about.
std::vector<Client> HeldRequests(EngineHere& engine) {
  look_us = 1;
  std::vector<Client> clients = Clients(engine, engine.Listen({"asksUpgrades", "1"}), kUpgrade);
  engine.Turn();
  return clients;
}

size_t CountRefused(const std::vector<EngineHere::Record>& records) {
  return static_cast<size_t>(std::ranges::count(records, UpKind::kRefused, &EngineHere::Record::kind));
}

TEST(a_turn_ends_no_more_than_it_has_time_for) {
  EngineHere engine;
  const std::vector<Client> clients = HalfRequests(engine);
  clock_us += kTimeoutUs;
  look_us = kLateLookUs;
  size_t refused = 0;
  while (refused < kClients) {
    // Whoever waits for the next deadline does not wait.
    CHECK_EQ(engine.core().DeadlineMs(), 0);
    const size_t now = CountRefused(engine.Turn());
    CHECK(now >= 1 && now <= kMostOfTurn);
    if (now == 0) return;
    refused += now;
  }
  while (engine.Stat("handshakes.pending") > 0) engine.Turn();
  for (const Client& client : clients) {
    CHECK(client.Receive().starts_with("HTTP/1.1 408 "));
    CHECK(client.Ended());
  }
}

// Or a drain, once there is no connection.
TEST(a_stop_ends_no_more_handshakes_in_a_turn_than_it_has_time_for) {
  for (const auto& [drains, held] : {std::pair{false, false}, {true, false}, {false, true}, {true, true}}) {
    EngineHere engine;
    const std::vector<Client> clients = held ? HeldRequests(engine) : HalfRequests(engine);
    const auto count_ended = [&clients] { return std::ranges::count_if(clients, &Client::Ended); };
    look_us = kLateLookUs;
    engine.Say(drains ? DownKind::kDrain : DownKind::kStop, {}, 1001, 60'000);
    std::vector<EngineHere::Record> up;
    size_t turns = 0;
    for (ptrdiff_t ended = 0; up.empty() || up.back().kind != UpKind::kStopped; ++turns) {
      for (EngineHere::Record& record : engine.Turn()) up.push_back(std::move(record));
      const ptrdiff_t now = count_ended();
      CHECK(now - ended <= static_cast<ptrdiff_t>(kMostOfTurn));
      ended = now;
    }
    CHECK(turns >= kClients / kMostOfTurn);
    CHECK_EQ(CountRefused(up), drains ? kClients : 0);
    for (const Client& client : clients) {
      CHECK_EQ(client.Receive().starts_with("HTTP/1.1 503 "), drains || held);
      CHECK(client.Ended());
    }
  }
}

// Its answer may have left in the same turn, before lws has ended it.
TEST(who_is_refused_before_a_drain_is_answered_once) {
  EngineHere engine;
  look_us = 1;
  const uint16_t port = engine.Listen({"asksUpgrades", "1"});
  const Client client(port);
  client.Send(kUpgrade);
  const auto up = engine.TurnsUntil(UpKind::kUpgradeRequest, 1);
  StringListWriter no;
  no.Add("no");
  const auto asked = std::ranges::find(up, UpKind::kUpgradeRequest, &EngineHere::Record::kind);
  engine.Say(DownKind::kUpgradeAnswer, no.bytes(), 403, asked->arg);
  engine.Say(DownKind::kDrain, {}, 1001, 60'000);
  CHECK_EQ(CountRefused(engine.TurnsUntil(UpKind::kStopped, 1)), 0U);
  const std::string answer = client.Receive();
  CHECK(answer.starts_with("HTTP/1.1 403 "));
  CHECK(answer.find("HTTP/1.1 503 ") == std::string::npos);
}

TEST(timers_are_put_in_without_a_walk_over_all) {
  EngineHere engine;
  comparisons = 0;
  const std::vector<Client> clients = HalfRequests(engine);
  CHECK(comparisons >= kClients && comparisons < 10 * kClients);
  clock_us += kTimeoutUs;
  look_us = kLateLookUs;
  comparisons = 0;
  while (engine.Stat("handshakes.pending") > 0) engine.Turn();
  CHECK(comparisons >= kClients && comparisons < 10 * kClients);
}

}  // namespace
}  // namespace ohws::check
