// lws's own poll loop behind our interface: for systems without epoll, and anywhere on request. Slower with
// many connections (poll looks at every descriptor), equal in behaviour.
#include "engine/loop.h"

namespace ohws {

namespace {

class PollLoop final : public Loop {
 public:
  void Prepare(lws_context_creation_info&) override {}
  void Attach(lws_context* context) override { context_ = context; }
  void WriteOptimistically(lws*) override {}
  void ServeWrites() override {}

  void WaitAndServe(int timeout_ms, const std::function<bool()>& may_sleep) override {
    lws_service(context_, -1);
    if (!may_sleep()) return;
    // lws ignores a positive time-out of lws_service(): what ends the wait is a timer of its own.
    if (timeout_ms > 0) {
      lws_sul_schedule(
          context_, 0, &timer_, [](lws_sorted_usec_list_t*) {},
          static_cast<lws_usec_t>(timeout_ms) * LWS_US_PER_MS);
    }
    if (timeout_ms != 0) lws_service(context_, 0);
    lws_sul_cancel(&timer_);
  }

  void Wake() override { lws_cancel_service(context_); }

 private:
  lws_context* context_ = nullptr;
  lws_sorted_usec_list_t timer_{};
};

}  // namespace

std::unique_ptr<Loop> Loop::CreatePoll() { return std::make_unique<PollLoop>(); }

}  // namespace ohws
