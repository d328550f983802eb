// Waiting for descriptors, behind one interface with two implementations: epoll (poller_epoll.cpp) and
// poll(2) (poller_poll.cpp), for systems without epoll or on request. Engine thread, except for Wake().
#pragma once

#include <cstdint>
#include <memory>
#include <span>

namespace ohws {

class Poller {
 public:
  enum class Mode : uint8_t {
    kLevel,  // an event comes as long as its reason lasts
    kEdge,   // what has become possible is told once; the next time after Rearm()
  };
  struct Event {
    int fd;
    uint32_t generation;
    bool readable;  // or broken
    bool writable;
    bool ended;    // the peer's half, after what can be read
    bool hung_up;  // both halves
  };

  Poller() = default;
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;
  virtual ~Poller() = default;

  // Watches a descriptor from now on as said here. `generation` comes back in its events.
  virtual void Watch(int fd, uint32_t generation, Mode mode, bool read, bool write) = 0;
  // `closing`: it is closed right after, and is nobody else's.
  virtual void Forget(int fd, bool closing) = 0;
  // What is to be reported next of a kEdge descriptor: it was read until there was no more; it took no more.
  // More may be reported than was asked for.
  virtual void Rearm(int fd, bool read, bool write) = 0;
  // Waits at most `timeout_ms` (-1: for ever) and fills in events; how many.
  virtual size_t Wait(std::span<Event> events, int timeout_ms) = 0;
  // Makes a waiting Wait() return; any thread.
  virtual void Wake() = 0;
  // A descriptor that is readable while Wait() has something to report, for another loop to watch; -1 where
  // there is none.
  virtual int descriptor() const { return -1; }
  // From this moment (of NowMs()) on the descriptor is readable, until the next Wait().
  virtual void BeReadableAt(uint64_t /*at_ms*/) {}

  static std::unique_ptr<Poller> CreateEpoll();  // nullptr where there is no epoll
  static std::unique_ptr<Poller> CreatePoll();
};

}  // namespace ohws
