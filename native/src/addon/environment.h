// What one Node environment (the main thread, or a worker) owns of us: its running engines. It hangs on the
// environment's instance data; there is nothing of ours outside of it. JavaScript thread of that environment.
//
// Rules:
//  1. An engine's doorbell is a thread-safe function, unreferenced while JavaScript says that nothing is
//  open, so
//     that it alone never keeps a process alive.
//  2. The cleanup hook of an engine is added after its thread-safe function was made. Hooks run last in,
//  first out,
//     so at the end of an environment the engine thread is joined before the function goes away, and nobody
//     rings a doorbell that is no more. The hook never releases the function: the environment does that.
//  3. The engine thread never waits for JavaScript, so joining it here cannot deadlock.
//  4. Where the engine's turns are taken here, the descriptor is not watched any more before the engine ends.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "addon/loop_watch.h"
#include "addon/napi_setup.h"
#include "engine/engine.h"

namespace ohws {

class RunningEngine {
 public:
  // Pins the rings. nullptr, with a pending exception, if the engine cannot be started.
  static std::unique_ptr<RunningEngine> Start(Napi::Env env, Napi::ArrayBuffer up, Napi::ArrayBuffer down,
                                              Napi::Function on_doorbell, Engine::Host host);
  RunningEngine(const RunningEngine&) = delete;
  RunningEngine& operator=(const RunningEngine&) = delete;
  ~RunningEngine() = default;

  // Ends the engine and gives everything back; only while the environment lives.
  void Stop();
  void SetRef(bool keep_alive);
  Engine& engine() { return *engine_; }

 private:
  explicit RunningEngine(Napi::Env env) : env_(env) {}
  static void OnEnvironmentEnd(void* self);
  bool StartEngine(Engine::Host host);
  bool OnReadable(bool again);
  void EndEngine();

  const Napi::Env env_;
  Napi::Reference<Napi::ArrayBuffer> up_;
  Napi::Reference<Napi::ArrayBuffer> down_;
  Napi::FunctionReference on_doorbell_;
  napi_async_context turn_context_ = nullptr;
  LoopWatch* watch_ = nullptr;  // if the engine's turns are taken here; owns itself
  napi_threadsafe_function doorbell_ = nullptr;
  std::unique_ptr<Engine> engine_;
};

class Environment {
 public:
  Environment() = default;
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() { CountQueuedBytes(-queued_bytes_); }

  // Adds to this environment's part of the bytes that wait to be sent in the process, and gives the whole.
  int64_t CountQueuedBytes(int64_t bytes);

  // Number of the engine, for JavaScript to name it.
  uint32_t Add(std::unique_ptr<RunningEngine> engine);
  // nullptr if it is not running.
  RunningEngine* Find(uint32_t number);
  void Remove(uint32_t number);

 private:
  int64_t queued_bytes_ = 0;
  std::vector<std::unique_ptr<RunningEngine>> engines_;  // by number; empty ones have ended
};

}  // namespace ohws
