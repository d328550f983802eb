// The event loop beneath one lws context, through lws's seam for foreign event loops (lws_event_loop_ops):
// lws tells which descriptors it wants watched for what, and gets events back by lws_service_fd_tsi(). A
// connection that lws has established is adopted: from then on its events go to its handler, until it is
// given back to lws for its end. Engine thread, except for Wake().
#pragma once

#include <libwebsockets.h>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "engine/poller.h"

namespace ohws {

// Who has taken a socket over from lws.
class SocketHandler {
 public:
  // Something may be written, and, if it is `readable`, read; `ended`: the peer's half has come to its end,
  // behind what can be read. It comes again only after everything was read, or after a write that was not
  // taken whole.
  virtual void OnSocketEvent(bool readable, bool ended) = 0;

 protected:
  ~SocketHandler() = default;
};

class Loop {
 public:
  explicit Loop(std::unique_ptr<Poller> poller) : poller_(std::move(poller)) {}
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Puts the loop into a context that is about to be made.
  void Prepare(lws_context_creation_info& info);
  // The context was made.
  void Attach(lws_context* context) { context_ = context; }

  // Takes an established connection over as soon as lws is done with the event at hand. The handler hears of
  // it at once, and must live until the connection's end; lws serves it no more, but may be told to end it.
  void Adopt(lws* wsi, SocketHandler& handler);
  // A socket that lws does not know: its handler hears of what can be read, as long as there is something.
  void Watch(int fd, SocketHandler& handler);
  void Unwatch(int fd) { Forget(fd, false); }
  // lws keeps this connection, but its events go to the handler until Return(). lws must want none meanwhile.
  void Hold(int fd, SocketHandler& handler);
  // Gives it back to lws, which goes on with what it has held.
  void Return(int fd);
  // The handler wants to hear of what can be read again, having read all there was; of room to write, after a
  // write that was not taken whole.
  void Rearm(int fd, bool read, bool write) { poller_->Rearm(fd, read, write); }

  // Serves lws's timers that are due; then, if `may_sleep` says so, waits at most `timeout_ms` (-1: for ever)
  // for something to happen; and serves it. `may_sleep` is asked after the timers, which may have made work.
  void WaitAndServe(int timeout_ms, const std::function<bool()>& may_sleep);
  // Serves lws's timers that are due; when the next one is, in milliseconds. kNoLimitMs: there is none.
  static constexpr int kNoLimitMs = 1'000'000;
  int ServeTimers();
  // Makes a waiting WaitAndServe() return; any thread.
  void Wake() { poller_->Wake(); }
  // For the loop of somebody else, who takes the turns: see Poller.
  int descriptor() const { return poller_->descriptor(); }
  void BeReadableAt(uint64_t at_ms) { poller_->BeReadableAt(at_ms); }

 private:
  // What is wanted of one descriptor, and by whom.
  struct Watched {
    uint32_t generation = 0;  // tells the owners of one descriptor number apart
    bool wants_read = false;  // lws does
    bool wants_write = false;
    SocketHandler* handler = nullptr;
  };
  struct Adoption {
    lws* wsi;  // if the generation is still that of the descriptor
    int fd;
    uint32_t generation;
    SocketHandler* handler;
  };
  struct Seam;  // lws's side

  Watched& At(int fd);
  void Serve(int fd, short revents);
  void FinishAdoptions();
  void Forget(int fd, bool closing);
  void Change(int fd, unsigned int flags);

  const std::unique_ptr<Poller> poller_;
  lws_context* context_ = nullptr;
  std::array<void*, 1> foreign_loops_{};
  std::array<Poller::Event, 256> events_{};
  std::vector<Watched> watched_;  // by descriptor
  std::vector<Adoption> adoptions_;
};

}  // namespace ohws
