// What both pollers promise of levels and edges. A socket is watched as one of libwebsockets' before it is
// one of ours, as a connection is.
#include "engine/poller.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>

#include "check.h"

namespace ohws::check {
namespace {

constexpr uint32_t kGeneration = 7;

class Pair {
 public:
  Pair() { CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_.data()), 0); }
  ~Pair() {
    close(ends_[0]);
    close(ends_[1]);
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  int ours() const { return ends_[0]; }
  void PeerSends() const { CHECK_EQ(send(ends_[1], "x", 1, 0), 1); }
  void ReadAll() const {
    std::array<char, 16> bytes{};
    while (recv(ends_[0], bytes.data(), bytes.size(), 0) > 0) continue;
  }

 private:
  std::array<int, 2> ends_{};
};

enum class Told : uint8_t { kNothing, kReadable, kWritable, kBoth };

// What is told now of the one socket that is watched.
Told Wait(Poller& poller) {
  std::array<Poller::Event, 8> events{};
  const size_t count = poller.Wait(events, 0);
  CHECK(count <= 1);
  if (count == 0) return Told::kNothing;
  CHECK_EQ(events[0].generation, kGeneration);
  if (events[0].readable) return events[0].writable ? Told::kBoth : Told::kReadable;
  return events[0].writable ? Told::kWritable : Told::kNothing;
}

template <typename Run>
void WithEach(Run run) {
  for (const auto& create : {Poller::CreateEpoll, Poller::CreatePoll}) {
    const std::unique_ptr<Poller> poller = create();
    if (poller != nullptr) run(*poller);
  }
}

TEST(a_level_is_told_as_long_as_it_lasts_and_an_edge_once) {
  WithEach([](Poller& poller) {
    const Pair pair;
    poller.Watch(pair.ours(), kGeneration, Poller::Mode::kLevel, true, false);
    CHECK_EQ(Wait(poller), Told::kNothing);
    pair.PeerSends();
    CHECK_EQ(Wait(poller), Told::kReadable);
    CHECK_EQ(Wait(poller), Told::kReadable);

    poller.Watch(pair.ours(), kGeneration, Poller::Mode::kEdge, true, false);
    CHECK_EQ(Wait(poller), Told::kReadable);
    pair.ReadAll();
    poller.Rearm(pair.ours(), true, false);
    CHECK_EQ(Wait(poller), Told::kNothing);
    pair.PeerSends();
    CHECK_EQ(Wait(poller), Told::kReadable);
    CHECK_EQ(Wait(poller), Told::kNothing);
    poller.Forget(pair.ours(), false);
  });
}

TEST(what_comes_between_an_edge_s_first_event_and_the_next_wait_is_told) {
  WithEach([](Poller& poller) {
    const Pair pair;
    poller.Watch(pair.ours(), kGeneration, Poller::Mode::kLevel, true, false);
    poller.Watch(pair.ours(), kGeneration, Poller::Mode::kEdge, true, false);
    pair.PeerSends();
    CHECK_EQ(Wait(poller), Told::kReadable);
    pair.ReadAll();
    poller.Rearm(pair.ours(), true, false);
    pair.PeerSends();
    CHECK_EQ(Wait(poller), Told::kReadable);
    poller.Forget(pair.ours(), false);
  });
}

TEST(room_to_write_is_told_of_an_edge_to_whom_it_was_asked_for) {
  WithEach([](Poller& poller) {
    const Pair pair;
    poller.Watch(pair.ours(), kGeneration, Poller::Mode::kLevel, true, false);
    poller.Watch(pair.ours(), kGeneration, Poller::Mode::kEdge, true, false);
    CHECK_EQ(Wait(poller), Told::kNothing);
    poller.Rearm(pair.ours(), true, true);
    CHECK_EQ(Wait(poller), Told::kWritable);
    CHECK_EQ(Wait(poller), Told::kNothing);
    pair.PeerSends();
    const Told told = Wait(poller);
    CHECK(told == Told::kReadable || told == Told::kBoth);
    poller.Forget(pair.ours(), false);
  });
}

TEST(a_forgotten_descriptor_leaves_nothing_to_the_next_of_its_number) {
  WithEach([](Poller& poller) {
    int number = -1;
    {
      const Pair pair;
      number = pair.ours();
      poller.Watch(number, kGeneration, Poller::Mode::kLevel, true, false);
      poller.Watch(number, kGeneration, Poller::Mode::kEdge, true, false);
      pair.PeerSends();
      CHECK_EQ(Wait(poller), Told::kReadable);
      poller.Forget(number, true);
    }
    const Pair pair;
    CHECK_EQ(pair.ours(), number);
    poller.Watch(number, kGeneration, Poller::Mode::kLevel, true, false);
    CHECK_EQ(Wait(poller), Told::kNothing);
    pair.PeerSends();
    CHECK_EQ(Wait(poller), Told::kReadable);
    CHECK_EQ(Wait(poller), Told::kReadable);
    poller.Forget(number, false);
    CHECK_EQ(Wait(poller), Told::kNothing);
  });
}

}  // namespace
}  // namespace ohws::check
