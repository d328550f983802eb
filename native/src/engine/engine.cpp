#include "engine/engine.h"

#include <libwebsockets.h>
#include <openssl/crypto.h>

#include <cstdlib>
#include <string_view>
#include <utility>

#include "engine/core.h"
#include "engine/poller.h"
#include "ohws_lws_patches.h"
#include "protocol/deflate_budget.h"

#ifdef __SANITIZE_THREAD__
extern "C" void AnnotateBenignRaceSized(const char* file, int line, const volatile void* memory, long size,
                                        const char* description);
#endif

namespace ohws {

namespace {

// ThreadSanitizer sees what V8 copies into the rings, but not the atomic instructions of compiled JavaScript
// that order it. The ring itself is proved between two C++ threads, by test/native/ring_test.cpp.
void TellThreadSanitizer([[maybe_unused]] const RingMemory& ring) {
#ifdef __SANITIZE_THREAD__
  AnnotateBenignRaceSized(__FILE__, __LINE__, ring.At(0), static_cast<long>(ring.capacity()), "ring memory");
#endif
}

// OHWS_LOOP=poll in the environment takes poll(2) where there is a choice.
std::unique_ptr<Poller> CreatePoller() {
  const char* wish = std::getenv("OHWS_LOOP");
  if (wish == nullptr || std::string_view(wish) != "poll") {
    if (auto poller = Poller::CreateEpoll()) return poller;
  }
  return Poller::CreatePoll();
}

}  // namespace

Engine::Engine(RingMemory up, RingMemory down, std::function<void()> doorbell)
    : up_(up), down_(down), doorbell_(std::move(doorbell)) {
  TellThreadSanitizer(up_);
  TellThreadSanitizer(down_);
}

struct Engine::ThreadMain {
  Engine* engine;
  std::unique_ptr<Core> core;
};

void Engine::RunThread(void* argument) {
  const std::unique_ptr<ThreadMain> main(static_cast<ThreadMain*>(argument));
  main->core->Run(main->engine->stop_);
  // Stop() may still be about to wake the poller, which goes away with the core.
  main->engine->poller_released_.wait(false);
  main->core.reset();
}

bool Engine::Start() {
  std::unique_ptr<Poller> poller = CreatePoller();
  if (poller == nullptr) return false;
  poller_ = poller.get();
  auto core = std::make_unique<Core>(up_, down_, up_payloads_, down_payloads_, doorbell_, std::move(poller));
  if (!core->Start()) return false;
  auto main = std::make_unique<ThreadMain>(ThreadMain{this, std::move(core)});
  running_ = thread_.Start(RunThread, main.get());
  if (running_) static_cast<void>(main.release());
  return running_;
}

void Engine::Wake() {
  if (poller_ != nullptr) poller_->Wake();
}

void Engine::Stop() {
  if (!running_) return;
  stop_.store(true);
  Wake();
  poller_released_.store(true);
  poller_released_.notify_one();
  thread_.Join();
  running_ = false;
  poller_ = nullptr;
}

std::string Engine::LwsVersion() { return lws_get_library_version(); }

std::string Engine::TlsVersion() { return OpenSSL_version(OPENSSL_VERSION_STRING); }

std::string Engine::MissingPatches() { return OHWS_LWS_MISSING_PATCHES; }

void Engine::SetCompressionBudget(size_t bytes) { DeflateBudget::Process().SetLimit(bytes); }

size_t Engine::CompressionBytes() { return DeflateBudget::Process().used(); }

}  // namespace ohws
