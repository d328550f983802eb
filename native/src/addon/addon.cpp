// The module's entry: registers what binding.d.ts declares and converts values; everything else is elsewhere.
// The arguments come from lib/ only and are right by construction; what would corrupt memory if they were not
// is checked. JavaScript thread.
#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "addon/environment.h"
#include "addon/napi_setup.h"
#include "wire/record.h"
#include "wire/ring.h"

namespace ohws {

namespace {

// Throws, unless the environment is at its end and lets nobody throw.
Napi::Value Fail(Napi::Env env, const char* message) {
  napi_throw_error(env, nullptr, message);
  return env.Undefined();
}

// nullptr, with a pending exception, if the first argument does not name a running engine.
RunningEngine* EngineArgument(const Napi::CallbackInfo& info) {
  auto* environment = info.Env().GetInstanceData<Environment>();
  RunningEngine* running = info.Length() > 0 && info[0].IsNumber()
                               ? environment->Find(info[0].As<Napi::Number>().Uint32Value())
                               : nullptr;
  if (running == nullptr) Fail(info.Env(), "no such engine");
  return running;
}

bool IsRing(const Napi::Value& value) {
  if (!value.IsArrayBuffer()) return false;
  const size_t bytes = value.As<Napi::ArrayBuffer>().ByteLength();
  if (bytes <= kRingHeadBytes || bytes > (size_t{1} << 30)) return false;
  const size_t capacity = bytes - kRingHeadBytes;
  return (capacity & (capacity - 1)) == 0;
}

Napi::Value Start(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (info.Length() != 4 || !IsRing(info[0]) || !IsRing(info[1]) || !info[2].IsFunction() ||
      !info[3].IsBoolean()) {
    return Fail(env,
                "start(up: ArrayBuffer, down: ArrayBuffer, onDoorbell: (again) => void, ownThread: boolean)");
  }
  const bool own_thread = info[3].As<Napi::Boolean>().Value();
  auto running = RunningEngine::Start(env, info[0].As<Napi::ArrayBuffer>(), info[1].As<Napi::ArrayBuffer>(),
                                      info[2].As<Napi::Function>(),
                                      own_thread ? Engine::Host::kOwnThread : Engine::Host::kJavaScript);
  if (running == nullptr) return env.Undefined();
  return Napi::Number::New(env, env.GetInstanceData<Environment>()->Add(std::move(running)));
}

Napi::Value Stop(const Napi::CallbackInfo& info) {
  RunningEngine* running = EngineArgument(info);
  if (running == nullptr) return info.Env().Undefined();
  running->Stop();
  info.Env().GetInstanceData<Environment>()->Remove(info[0].As<Napi::Number>().Uint32Value());
  return info.Env().Undefined();
}

Napi::Value Wake(const Napi::CallbackInfo& info) {
  if (RunningEngine* running = EngineArgument(info)) running->engine().Wake();
  return info.Env().Undefined();
}

Napi::Value SetRef(const Napi::CallbackInfo& info) {
  if (RunningEngine* running = EngineArgument(info)) running->SetRef(info[1].As<Napi::Boolean>().Value());
  return info.Env().Undefined();
}

// A buffer, an offset and a size, from argument `at` on; nothing if they are not that.
std::optional<std::span<const uint8_t>> BytesArgument(const Napi::CallbackInfo& info, size_t at) {
  if (info.Length() != at + 3 || !info[at].IsArrayBuffer()) return std::nullopt;
  auto buffer = info[at].As<Napi::ArrayBuffer>();
  const auto offset = static_cast<size_t>(info[at + 1].As<Napi::Number>().Int64Value());
  const auto size = static_cast<size_t>(info[at + 2].As<Napi::Number>().Int64Value());
  if (offset > buffer.ByteLength() || size > buffer.ByteLength() - offset) return std::nullopt;
  return std::span(static_cast<const uint8_t*>(buffer.Data()) + offset, size);
}

Napi::Value PutBytes(const Napi::CallbackInfo& info) {
  RunningEngine* running = EngineArgument(info);
  if (running == nullptr) return info.Env().Undefined();
  const std::optional<std::span<const uint8_t>> bytes = BytesArgument(info, 1);
  if (!bytes.has_value()) return Fail(info.Env(), "putBytes: bytes expected");
  Payload payload = Payload::Allocate(bytes->size());
  if (payload.data == nullptr) return Fail(info.Env(), "out of memory");
  std::ranges::copy(*bytes, payload.data.get());
  return Napi::Number::New(info.Env(), running->engine().down_payloads().Put(std::move(payload)));
}

Napi::Value SendBytes(const Napi::CallbackInfo& info) {
  RunningEngine* running = EngineArgument(info);
  if (running == nullptr) return info.Env().Undefined();
  const std::optional<std::span<const uint8_t>> bytes = BytesArgument(info, 2);
  if (!bytes.has_value()) return Fail(info.Env(), "sendBytes: bytes expected");
  const uint32_t id = info[1].As<Napi::Number>().Uint32Value();
  return Napi::Boolean::New(info.Env(), running->engine().SendNow(id, *bytes));
}

Napi::Value PutText(const Napi::CallbackInfo& info) {
  RunningEngine* running = EngineArgument(info);
  if (running == nullptr) return info.Env().Undefined();
  if (info.Length() != 2 || !info[1].IsString()) return Fail(info.Env(), "putText: a string expected");
  size_t size = 0;
  napi_get_value_string_utf8(info.Env(), info[1], nullptr, 0, &size);
  // One byte more for the zero that Node-API writes behind.
  Payload payload = Payload::Allocate(size + 1);
  if (payload.data == nullptr) return Fail(info.Env(), "out of memory");
  napi_get_value_string_utf8(info.Env(), info[1], reinterpret_cast<char*>(payload.data.get()), size + 1,
                             &size);
  payload.size = size;
  return Napi::Number::New(info.Env(), running->engine().down_payloads().Put(std::move(payload)));
}

Napi::Value TakeBytes(const Napi::CallbackInfo& info) {
  RunningEngine* running = EngineArgument(info);
  if (running == nullptr) return info.Env().Undefined();
  Payload payload = running->engine().up_payloads().Take(info[1].As<Napi::Number>().Uint32Value());
  if (payload.data == nullptr) return Fail(info.Env(), "takeBytes: no such payload");
  napi_value result = nullptr;
  uint8_t* bytes = payload.data.get();
  const napi_status status = napi_create_external_arraybuffer(
      info.Env(), bytes, payload.size,
      [](napi_env, void* data, void*) { PayloadDeleter()(static_cast<uint8_t*>(data)); }, nullptr, &result);
  if (status == napi_ok) {
    // Its finalizer frees it.
    static_cast<void>(payload.data.release());
    return {info.Env(), result};
  }
  // A runtime that keeps its heap in a cage takes no memory of ours: copy.
  void* copy = nullptr;
  if (napi_create_arraybuffer(info.Env(), payload.size, &copy, &result) != napi_ok) {
    return Fail(info.Env(), "out of memory");
  }
  std::memcpy(copy, bytes, payload.size);
  return {info.Env(), result};
}

Napi::Value TakeText(const Napi::CallbackInfo& info) {
  RunningEngine* running = EngineArgument(info);
  if (running == nullptr) return info.Env().Undefined();
  const Payload payload = running->engine().up_payloads().Take(info[1].As<Napi::Number>().Uint32Value());
  if (payload.data == nullptr) return Fail(info.Env(), "takeText: no such payload");
  const auto* text = reinterpret_cast<const char*>(payload.data.get());
  napi_value result = nullptr;
  const napi_status status = info[2].As<Napi::Boolean>().Value()
                                 ? napi_create_string_latin1(info.Env(), text, payload.size, &result)
                                 : napi_create_string_utf8(info.Env(), text, payload.size, &result);
  if (status != napi_ok) return Fail(info.Env(), "takeText: the text is too long for a string");
  return {info.Env(), result};
}

Napi::Value SetCompressionBudget(const Napi::CallbackInfo& info) {
  constexpr double kMost = 9007199254740991;  // 2^53 - 1
  if (!info[0].IsNumber()) return Fail(info.Env(), "setCompressionBudget(bytes: number)");
  const double bytes = std::clamp(info[0].As<Napi::Number>().DoubleValue(), 0.0, kMost);
  Engine::SetCompressionBudget(static_cast<size_t>(bytes));
  return info.Env().Undefined();
}

Napi::Value CompressionBytes(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(Engine::CompressionBytes()));
}

Napi::Value CountQueuedBytes(const Napi::CallbackInfo& info) {
  if (!info[0].IsNumber()) return Fail(info.Env(), "countQueuedBytes(bytes: number)");
  const int64_t bytes = info[0].As<Napi::Number>().Int64Value();
  auto* environment = info.Env().GetInstanceData<Environment>();
  return Napi::Number::New(info.Env(), static_cast<double>(environment->CountQueuedBytes(bytes)));
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new Environment());  // NOLINT(cppcoreguidelines-owning-memory): Node owns it
  exports["wireVersion"] = Napi::Number::New(env, kWireVersion);
  exports["lwsVersion"] = Napi::String::New(env, Engine::LwsVersion());
  exports["tlsVersion"] = Napi::String::New(env, Engine::TlsVersion());
  exports["addonVersion"] = Napi::String::New(env, OHWS_ADDON_VERSION);
  exports["missingPatches"] = Napi::String::New(env, Engine::MissingPatches());
  exports["start"] = Napi::Function::New(env, Start, "start");
  exports["stop"] = Napi::Function::New(env, Stop, "stop");
  exports["wake"] = Napi::Function::New(env, Wake, "wake");
  exports["setRef"] = Napi::Function::New(env, SetRef, "setRef");
  exports["putBytes"] = Napi::Function::New(env, PutBytes, "putBytes");
  exports["sendBytes"] = Napi::Function::New(env, SendBytes, "sendBytes");
  exports["putText"] = Napi::Function::New(env, PutText, "putText");
  exports["takeBytes"] = Napi::Function::New(env, TakeBytes, "takeBytes");
  exports["takeText"] = Napi::Function::New(env, TakeText, "takeText");
  exports["setCompressionBudget"] = Napi::Function::New(env, SetCompressionBudget, "setCompressionBudget");
  exports["countQueuedBytes"] = Napi::Function::New(env, CountQueuedBytes, "countQueuedBytes");
  exports["compressionBytes"] = Napi::Function::New(env, CompressionBytes, "compressionBytes");
  return exports;
}

}  // namespace

}  // namespace ohws

static Napi::Object InitModule(Napi::Env env, Napi::Object exports) { return ohws::Init(env, exports); }

NODE_API_MODULE(ohos_websocket, InitModule)
