// Has a descriptor watched by the libuv loop of a Node environment, whose thread calls back when it is
// readable. JavaScript thread of that environment.
//
// libuv is not part of Node-API, so it is looked up: where it is not there, Start() says so, as on Windows,
// where the engine has no descriptor to watch. A handle of libuv's is gone only a turn of its loop after it
// was closed; until then, at the end of an environment too, this object lives on by itself.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "addon/napi_setup.h"

namespace ohws {

class LoopWatch {
 public:
  // True: it is to be called once more, with `again`, before libuv goes on.
  using OnReadable = std::function<bool(bool again)>;

  // Null if it cannot be had here. `on_readable` is called with a handle scope open. It keeps the process
  // alive until SetRef(false).
  static LoopWatch* Start(napi_env env, int descriptor, OnReadable on_readable);
  LoopWatch(const LoopWatch&) = delete;
  LoopWatch& operator=(const LoopWatch&) = delete;

  void SetRef(bool keep_alive);
  // Nothing is called back from now on, and the descriptor may be closed. The object goes away by itself.
  void Close();

 private:
  LoopWatch(napi_env env, OnReadable on_readable) : env_(env), on_readable_(std::move(on_readable)) {}
  ~LoopWatch() = default;

  static void OnPoll(void* handle, int status, int events);
  static void OnClosed(void* handle);
  void DeleteIfDone();
  static void OnEnvironmentEnd(napi_async_cleanup_hook_handle hook, void* self);

  void* handle() { return memory_.get(); }

  const napi_env env_;
  const OnReadable on_readable_;
  std::unique_ptr<std::byte[]> memory_;  // a uv_poll_t
  napi_async_cleanup_hook_handle hook_ = nullptr;
  int calls_ = 0;  // under way: who is called may run libuv's loop himself
  bool closing_ = false;
  bool closed_ = false;
};

}  // namespace ohws
