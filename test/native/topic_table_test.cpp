// The table of topics, against sets of the standard library.
#include "protocol/topic_table.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "check.h"

namespace ohws {
namespace {

struct Someone final : TopicTable::Subscriber {};

std::set<const TopicTable::Subscriber*> MembersOf(const TopicTable& table, uint32_t topic) {
  std::set<const TopicTable::Subscriber*> members;
  for (const TopicTable::Member& member : table.Of(topic)) members.insert(member.subscriber);
  CHECK_EQ(members.size(), table.Of(topic).size());  // nobody twice
  return members;
}

TEST(subscribers_of_a_topic_are_those_who_subscribed) {
  TopicTable table;
  Someone a;
  Someone b;
  table.Subscribe(a, 3);
  table.Subscribe(b, 3);
  table.Subscribe(b, 0);
  CHECK_EQ(table.Of(3).size(), size_t{2});
  CHECK_EQ(table.Of(0).size(), size_t{1});
  CHECK_EQ(table.Of(1).size(), size_t{0});
  CHECK_EQ(table.Of(4'000'000'000).size(), size_t{0});
  CHECK(a.SubscribesTo(3));
  CHECK(!a.SubscribesTo(0));
}

TEST(a_second_subscription_changes_nothing) {
  TopicTable table;
  Someone a;
  table.Subscribe(a, 1);
  table.Subscribe(a, 1);
  CHECK_EQ(table.Of(1).size(), size_t{1});
  table.Unsubscribe(a, 1);
  CHECK_EQ(table.Of(1).size(), size_t{0});
  CHECK(!a.subscribes());
}

TEST(unsubscribing_from_what_one_does_not_have_changes_nothing) {
  TopicTable table;
  Someone a;
  Someone b;
  table.Subscribe(a, 1);
  table.Unsubscribe(b, 1);
  table.Unsubscribe(a, 2);
  CHECK_EQ(table.Of(1).size(), size_t{1});
  table.Leave(b);
  CHECK_EQ(table.Of(1).size(), size_t{1});
}

TEST(who_leaves_is_nowhere_and_the_others_stay) {
  TopicTable table;
  std::array<Someone, 3> people;
  for (Someone& one : people) {
    for (uint32_t topic = 0; topic < 10; ++topic) table.Subscribe(one, topic);
  }
  table.Leave(people[0]);
  CHECK(!people[0].subscribes());
  for (uint32_t topic = 0; topic < 10; ++topic) {
    CHECK_EQ(table.Of(topic).size(), size_t{2});
    CHECK(!people[0].SubscribesTo(topic));
    CHECK(people[2].SubscribesTo(topic));
  }
}

TEST(a_long_random_life_agrees_with_sets) {
  check::Random random(1);
  constexpr uint32_t kTopics = 12;
  TopicTable table;
  std::array<Someone, 20> people;
  std::map<uint32_t, std::set<const TopicTable::Subscriber*>> expected;
  for (int step = 0; step < 20'000; ++step) {
    Someone& one = people[random.Below(people.size())];
    const auto topic = static_cast<uint32_t>(random.Below(kTopics));
    switch (random.Below(10)) {
      case 0:
        table.Leave(one);
        for (auto& [number, members] : expected) members.erase(&one);
        break;
      case 1:
      case 2:
      case 3:
      case 4:
        table.Unsubscribe(one, topic);
        expected[topic].erase(&one);
        break;
      default:
        table.Subscribe(one, topic);
        expected[topic].insert(&one);
    }
    CHECK(MembersOf(table, topic) == expected[topic]);
  }
  for (uint32_t topic = 0; topic < kTopics; ++topic) {
    CHECK(MembersOf(table, topic) == expected[topic]);
    for (const Someone& one : people) CHECK_EQ(one.SubscribesTo(topic), expected[topic].contains(&one));
  }
}

}  // namespace
}  // namespace ohws
