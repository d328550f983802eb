// Who subscribes to which topic. Topics are numbers that JavaScript gives, small ones again and again; names,
// and how many topics a subscriber may have, are its affair. Pure; one thread.
//
// Invariant: a subscriber's place and the topic's place for it name each other, so that both go away without
// a search, whoever ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ohws {

class TopicTable {
 public:
  // What subscribes; derived from. It leaves the table before it ends.
  class Subscriber {
   public:
    Subscriber() = default;
    Subscriber(const Subscriber&) = delete;
    Subscriber& operator=(const Subscriber&) = delete;

    bool subscribes() const { return !places_.empty(); }
    bool SubscribesTo(uint32_t topic) const;

   protected:
    ~Subscriber() = default;

   private:
    friend class TopicTable;
    struct Place {
      uint32_t topic;
      uint32_t at;  // in that topic
    };
    std::vector<Place> places_;
  };

  // A subscriber as its topic has it.
  struct Member {
    Subscriber* subscriber;
    uint32_t place;  // in the subscriber
  };

  // Once for each topic; a second time changes nothing.
  void Subscribe(Subscriber& subscriber, uint32_t topic);
  // Changes nothing for who does not subscribe.
  void Unsubscribe(Subscriber& subscriber, uint32_t topic);
  // Every topic of this one.
  void Leave(Subscriber& subscriber);

  // In no order; valid until the next change.
  std::span<const Member> Of(uint32_t topic) const;

 private:
  void Remove(Subscriber& subscriber, size_t place);

  std::vector<std::vector<Member>> topics_;  // by number
};

}  // namespace ohws
