// The event loop beneath one lws context, behind one interface with two implementations: our own epoll loop
// (loop_epoll.cpp) and lws's own poll loop (loop_poll.cpp), for systems without epoll or on request. Engine
// thread, except for Wake().
#pragma once

#include <libwebsockets.h>

#include <functional>
#include <memory>

namespace ohws {

class Loop {
 public:
  Loop() = default;
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  virtual ~Loop() = default;

  // Puts the loop into a context that is about to be made.
  virtual void Prepare(lws_context_creation_info& info) = 0;
  // The context was made.
  virtual void Attach(lws_context* context) = 0;

  // From now on a wish to write on this connection is granted at once, without asking the kernel whether the
  // socket is writable; whoever writes looks at what lws could not send.
  virtual void WriteOptimistically(lws* wsi) = 0;
  // Grants the wishes to write that have gathered.
  virtual void ServeWrites() = 0;
  // Serves lws's timers that are due; then, if `may_sleep` says so, waits at most `timeout_ms` (-1: for ever)
  // for something to happen; and serves it. `may_sleep` is asked after the timers, which may have made work.
  virtual void WaitAndServe(int timeout_ms, const std::function<bool()>& may_sleep) = 0;
  // Makes a waiting WaitAndServe() return; any thread.
  virtual void Wake() = 0;

  static std::unique_ptr<Loop> CreateEpoll();  // nullptr where there is no epoll
  static std::unique_ptr<Loop> CreatePoll();
};

}  // namespace ohws
