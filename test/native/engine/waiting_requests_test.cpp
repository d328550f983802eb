// What requests that JavaScript thinks about cost the turns of the loop: none of lws's lists has them, so
// none is walked over them (patch held-bytes).
#include <libwebsockets.h>

#include <set>

#include "engine_here.h"

namespace {

std::set<lws_dll2_owner_t*> lists;  // that anything was put into

}  // namespace

// The linker sends lws's calls here (--wrap).
extern "C" {
void __real_lws_dll2_add_head(lws_dll2_t* entry, lws_dll2_owner_t* list);
void __wrap_lws_dll2_add_head(lws_dll2_t* entry, lws_dll2_owner_t* list);
void __wrap_lws_dll2_add_head(lws_dll2_t* entry, lws_dll2_owner_t* list) {
  lists.insert(list);
  __real_lws_dll2_add_head(entry, list);
}
}

namespace ohws::check {
namespace {

constexpr size_t kRequests = 50;
// Behind the head, in the same packet.
constexpr std::string_view kEarlyPing("\x89\x80\0\0\0\0", 6);

TEST(requests_that_wait_are_in_no_list_of_lws) {
  EngineHere engine;
  const uint16_t port = engine.Listen({"asksUpgrades", "1"});
  std::vector<Client> clients;
  while (clients.size() < kRequests) clients.emplace_back(port);
  while (engine.Stat("handshakes.pending") < kRequests) engine.Turn(10);
  lists.clear();

  for (const Client& client : clients) client.Send(std::string(kUpgrade).append(kEarlyPing));
  const auto asked = engine.TurnsUntil(UpKind::kUpgradeRequest, kRequests);
  engine.Turn();
  // There is something to see: what is left to be read is put into one.
  CHECK(!lists.empty());
  for (const lws_dll2_owner_t* list : lists) CHECK_EQ(list->count, 0U);

  // Nothing of what has waited is lost.
  StringListWriter yes;
  yes.Add("0").Add("");
  for (const auto& record : asked) engine.Say(DownKind::kUpgradeAnswer, yes.bytes(), 0, record.arg);
  engine.TurnsUntil(UpKind::kAccepted, kRequests);
  engine.Turn();
  engine.Turn();
  for (const Client& client : clients) {
    const std::string answer = client.Receive();
    CHECK(answer.starts_with("HTTP/1.1 101 "));
    CHECK(answer.ends_with(std::string_view("\x8a\0", 2)));
  }
}

}  // namespace
}  // namespace ohws::check
