// The table of topics. One thread.
#include "protocol/topic_table.h"

#include <algorithm>

namespace ohws {

bool TopicTable::Subscriber::SubscribesTo(uint32_t topic) const {
  return std::ranges::find(places_, topic, &Place::topic) != places_.end();
}

void TopicTable::Subscribe(Subscriber& subscriber, uint32_t topic) {
  if (subscriber.SubscribesTo(topic)) return;
  if (topic >= topics_.size()) topics_.resize(size_t{topic} + 1);
  std::vector<Member>& members = topics_[topic];
  subscriber.places_.push_back({topic, static_cast<uint32_t>(members.size())});
  members.push_back({&subscriber, static_cast<uint32_t>(subscriber.places_.size() - 1)});
}

void TopicTable::Unsubscribe(Subscriber& subscriber, uint32_t topic) {
  const auto found = std::ranges::find(subscriber.places_, topic, &Subscriber::Place::topic);
  if (found == subscriber.places_.end()) return;
  Remove(subscriber, static_cast<size_t>(found - subscriber.places_.begin()));
}

void TopicTable::Leave(Subscriber& subscriber) {
  while (!subscriber.places_.empty()) Remove(subscriber, subscriber.places_.size() - 1);
  subscriber.places_.shrink_to_fit();
}

std::span<const TopicTable::Member> TopicTable::Of(uint32_t topic) const {
  if (topic >= topics_.size()) return {};
  return topics_[topic];
}

// The last one of each list takes the place that becomes free in it.
void TopicTable::Remove(Subscriber& subscriber, size_t place) {
  const Subscriber::Place gone = subscriber.places_[place];
  std::vector<Member>& members = topics_[gone.topic];
  members[gone.at] = members.back();
  members[gone.at].subscriber->places_[members[gone.at].place].at = gone.at;
  members.pop_back();
  // A topic that nobody has holds no memory.
  if (members.empty()) members.shrink_to_fit();

  Subscriber::Place& moved = subscriber.places_[place];
  moved = subscriber.places_.back();
  subscriber.places_.pop_back();
  if (place < subscriber.places_.size()) {
    topics_[moved.topic][moved.at].place = static_cast<uint32_t>(place);
  }
}

}  // namespace ohws
