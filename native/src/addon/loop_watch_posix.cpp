#include <cstddef>
#include <utility>

#include "addon/loop_watch.h"

// What we use of libuv, whose binary interface is stable within version 1 (https://docs.libuv.org). Weak: the
// module loads where a runtime has none of it.
extern "C" {
#define OHWS_OPTIONAL __attribute__((weak))
OHWS_OPTIONAL size_t uv_handle_size(int type);
OHWS_OPTIONAL int uv_poll_init(uv_loop_s* loop, void* handle, int descriptor);
OHWS_OPTIONAL int uv_poll_start(void* handle, int events,
                                void (*callback)(void* handle, int status, int events));
OHWS_OPTIONAL int uv_poll_stop(void* handle);
OHWS_OPTIONAL void uv_close(void* handle, void (*callback)(void* handle));
OHWS_OPTIONAL void uv_ref(void* handle);
OHWS_OPTIONAL void uv_unref(void* handle);
OHWS_OPTIONAL void* uv_handle_get_data(const void* handle);
OHWS_OPTIONAL void uv_handle_set_data(void* handle, void* data);
#undef OHWS_OPTIONAL
}

namespace ohws {

namespace {

constexpr int kPollHandle = 8;     // UV_POLL
constexpr int kReadableEvent = 1;  // UV_READABLE

bool HasLibuv() {
  return uv_handle_size != nullptr && uv_poll_init != nullptr && uv_poll_start != nullptr &&
         uv_poll_stop != nullptr && uv_close != nullptr && uv_ref != nullptr && uv_unref != nullptr &&
         uv_handle_get_data != nullptr && uv_handle_set_data != nullptr;
}

}  // namespace

LoopWatch* LoopWatch::Start(napi_env env, int descriptor, OnReadable on_readable) {
  uv_loop_s* loop = nullptr;
  if (!HasLibuv() || napi_get_uv_event_loop(env, &loop) != napi_ok) return nullptr;
  // NOLINTNEXTLINE(cppcoreguidelines-owning-memory): libuv's handle is its owner, see OnClosed()
  auto* watch = new LoopWatch(env, std::move(on_readable));
  watch->memory_ = std::make_unique<std::byte[]>(uv_handle_size(kPollHandle));
  if (uv_poll_init(loop, watch->handle(), descriptor) != 0) {
    delete watch;  // NOLINT(cppcoreguidelines-owning-memory)
    return nullptr;
  }
  uv_handle_set_data(watch->handle(), watch);
  napi_add_async_cleanup_hook(env, OnEnvironmentEnd, watch, &watch->hook_);
  uv_poll_start(watch->handle(), kReadableEvent, OnPoll);
  return watch;
}

void LoopWatch::SetRef(bool keep_alive) {
  if (keep_alive) {
    uv_ref(handle());
  } else {
    uv_unref(handle());
  }
}

void LoopWatch::Close() {
  if (std::exchange(closing_, true)) return;
  uv_poll_stop(handle());
  uv_close(handle(), OnClosed);
}

void LoopWatch::OnPoll(void* handle, int /*status*/, int /*events*/) {
  auto* watch = static_cast<LoopWatch*>(uv_handle_get_data(handle));
  ++watch->calls_;
  bool again = false;
  do {
    const Napi::HandleScope scope(watch->env_);
    again = watch->on_readable_(again);
  } while (again && !watch->closing_);
  --watch->calls_;
  watch->DeleteIfDone();
}

void LoopWatch::OnClosed(void* handle) {
  auto* watch = static_cast<LoopWatch*>(uv_handle_get_data(handle));
  napi_remove_async_cleanup_hook(watch->hook_);
  watch->closed_ = true;
  watch->DeleteIfDone();
}

void LoopWatch::DeleteIfDone() {
  if (closed_ && calls_ == 0) delete this;  // NOLINT(cppcoreguidelines-owning-memory)
}

void LoopWatch::OnEnvironmentEnd(napi_async_cleanup_hook_handle /*hook*/, void* self) {
  static_cast<LoopWatch*>(self)->Close();
}

}  // namespace ohws
