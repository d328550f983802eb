#include "addon/environment.h"

#include <atomic>
#include <utility>

#include "wire/ring.h"

namespace ohws {

namespace {

void CallDoorbell(napi_env env, napi_value callback, void* /*context*/, void* /*data*/) {
  if (env == nullptr || callback == nullptr) return;
  napi_value undefined = nullptr;
  napi_value result = nullptr;
  napi_get_undefined(env, &undefined);
  // An exception stays pending: Node raises it as uncaught.
  napi_call_function(env, undefined, callback, 0, nullptr, &result);
}

RingMemory MemoryOf(Napi::ArrayBuffer buffer) {
  return {static_cast<uint8_t*>(buffer.Data()), static_cast<uint32_t>(buffer.ByteLength())};
}

// Whether an ArrayBuffer may be of our memory: not in a runtime that keeps its heap in a cage.
bool TakesMemory(napi_env env) {
  auto byte = std::make_unique<uint8_t>();
  napi_value buffer = nullptr;
  const auto free = [](napi_env, void* data, void*) {
    std::default_delete<uint8_t>()(static_cast<uint8_t*>(data));
  };
  if (napi_create_external_arraybuffer(env, byte.get(), 1, free, nullptr, &buffer) != napi_ok) return false;
  static_cast<void>(byte.release());
  return true;
}

}  // namespace

std::unique_ptr<RunningEngine> RunningEngine::Start(Napi::Env env, Napi::ArrayBuffer up,
                                                    Napi::ArrayBuffer down, Napi::Function on_doorbell,
                                                    Engine::Host host) {
  std::unique_ptr<RunningEngine> running(new RunningEngine(env));
  napi_threadsafe_function doorbell = nullptr;
  if (napi_create_threadsafe_function(env, on_doorbell, nullptr, Napi::String::New(env, "ohos-websocket"), 0,
                                      1, nullptr, nullptr, nullptr, CallDoorbell, &doorbell) != napi_ok) {
    napi_throw_error(env, nullptr, "the engine's doorbell cannot be made");
    return nullptr;
  }
  running->doorbell_ = doorbell;
  running->up_ = Napi::Persistent(up);
  running->down_ = Napi::Persistent(down);
  running->on_doorbell_ = Napi::Persistent(on_doorbell);
  if (!running->StartEngine(host)) {
    napi_release_threadsafe_function(doorbell, napi_tsfn_release);
    napi_throw_error(env, nullptr, "the engine cannot be started");
    return nullptr;
  }
  napi_add_env_cleanup_hook(env, OnEnvironmentEnd, running.get());
  return running;
}

bool RunningEngine::StartEngine(Engine::Host host) {
  const auto ring_doorbell = [doorbell = doorbell_] {
    napi_call_threadsafe_function(doorbell, nullptr, napi_tsfn_nonblocking);
  };
  engine_ = std::make_unique<Engine>(MemoryOf(up_.Value()), MemoryOf(down_.Value()), ring_doorbell,
                                     TakesMemory(env_));
  if (!engine_->Start(host)) return false;
  if (engine_->descriptor() < 0) return true;
  watch_ = LoopWatch::Start(env_, engine_->descriptor(), [this](bool again) { return OnReadable(again); });
  // No loop that would watch it: then as if nobody had asked.
  if (watch_ == nullptr) return StartEngine(Engine::Host::kOwnThread);
  napi_async_init(env_, nullptr, Napi::String::New(env_, "ohos-websocket"), &turn_context_);
  napi_unref_threadsafe_function(env_, doorbell_);
  return true;
}

// Nothing of this object is touched behind the call: it may be gone then.
bool RunningEngine::OnReadable(bool again) {
  if (!(again ? engine_->ReadOn() : engine_->TakeTurn())) return false;
  const bool has_more = engine_->has_unread();
  const Napi::Env env = env_;
  napi_value is_again = nullptr;
  napi_get_boolean(env, again, &is_again);
  napi_value result = nullptr;
  const napi_status status =
      napi_make_callback(env, turn_context_, env.Global(), on_doorbell_.Value(), 1, &is_again, &result);
  if (status != napi_pending_exception) return status == napi_ok && has_more;
  napi_value exception = nullptr;
  if (napi_get_and_clear_last_exception(env, &exception) == napi_ok) napi_fatal_exception(env, exception);
  return false;
}

void RunningEngine::EndEngine() {
  if (watch_ != nullptr) watch_->Close();
  engine_->Stop();
}

void RunningEngine::OnEnvironmentEnd(void* self) {
  auto* running = static_cast<RunningEngine*>(self);
  running->EndEngine();
  running->engine_.reset();
  if (running->turn_context_ != nullptr) napi_async_destroy(running->env_, running->turn_context_);
  running->up_.Reset();
  running->down_.Reset();
  running->on_doorbell_.Reset();
}

void RunningEngine::Stop() {
  napi_remove_env_cleanup_hook(env_, OnEnvironmentEnd, this);
  EndEngine();
  if (turn_context_ != nullptr) napi_async_destroy(env_, turn_context_);
  napi_release_threadsafe_function(doorbell_, napi_tsfn_release);
}

void RunningEngine::SetRef(bool keep_alive) {
  if (watch_ != nullptr) {
    watch_->SetRef(keep_alive);
  } else if (keep_alive) {
    napi_ref_threadsafe_function(env_, doorbell_);
  } else {
    napi_unref_threadsafe_function(env_, doorbell_);
  }
}

int64_t Environment::CountQueuedBytes(int64_t bytes) {
  static std::atomic<int64_t> process_bytes{0};
  queued_bytes_ += bytes;
  return process_bytes.fetch_add(bytes) + bytes;
}

uint32_t Environment::Add(std::unique_ptr<RunningEngine> engine) {
  engines_.push_back(std::move(engine));
  return static_cast<uint32_t>(engines_.size() - 1);
}

RunningEngine* Environment::Find(uint32_t number) {
  return number < engines_.size() ? engines_[number].get() : nullptr;
}

void Environment::Remove(uint32_t number) { engines_[number].reset(); }

}  // namespace ohws
