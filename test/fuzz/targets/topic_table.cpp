// Any sequence of subscribing, unsubscribing and leaving: each topic has exactly its subscribers, once.
#include "protocol/topic_table.h"

#include <array>
#include <set>

#include "fuzz.h"

namespace ohws::fuzz {
namespace {

struct Somebody final : TopicTable::Subscriber {};

}  // namespace

void FuzzOne(Input input) {
  constexpr size_t kSubscribers = 8;
  constexpr uint32_t kTopics = 12;
  TopicTable table;
  std::array<Somebody, kSubscribers> all;
  std::array<std::set<uint32_t>, kSubscribers> expected;
  while (!input.empty()) {
    const uint8_t step = input.Byte();
    const size_t who = input.Below(kSubscribers);
    const uint32_t topic = step / 8 % kTopics;
    switch (step % 8) {
      case 0:
        table.Leave(all[who]);
        expected[who].clear();
        break;
      case 1:
      case 2:
      case 3:
        table.Unsubscribe(all[who], topic);
        expected[who].erase(topic);
        break;
      default:
        table.Subscribe(all[who], topic);
        expected[who].insert(topic);
        break;
    }
    for (uint32_t of = 0; of < kTopics; ++of) {
      std::set<const TopicTable::Subscriber*> members;
      for (const TopicTable::Member& member : table.Of(of)) {
        REQUIRE(members.insert(member.subscriber).second);
      }
      for (size_t n = 0; n < kSubscribers; ++n) {
        REQUIRE(all[n].SubscribesTo(of) == expected[n].contains(of));
        REQUIRE(members.contains(&all[n]) == expected[n].contains(of));
      }
    }
    for (size_t n = 0; n < kSubscribers; ++n) REQUIRE(all[n].subscribes() == !expected[n].empty());
  }
  for (Somebody& subscriber : all) table.Leave(subscriber);
  for (uint32_t of = 0; of <= kTopics; ++of) REQUIRE(table.Of(of).empty());
}

}  // namespace ohws::fuzz
