#include "engine/engine.h"

#include <libwebsockets.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#include <cstdlib>
#include <string_view>
#include <utility>

#include "engine/clock.h"
#include "engine/core.h"
#include "engine/poller.h"
#include "engine/sockets.h"
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

// OpenSSL keeps what it complains of for the whole thread. On JavaScript's, Node's own TLS would take it for
// a complaint about one of its connections, and end that.
void ForgetTlsErrors() {
  if (ERR_peek_error() != 0) ERR_clear_error();
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

Engine::Engine(RingMemory up, RingMemory down, std::function<void()> doorbell, bool lends)
    : up_(up), down_(down), doorbell_(std::move(doorbell)), lends_(lends) {
  TellThreadSanitizer(up_);
  TellThreadSanitizer(down_);
}

Engine::~Engine() { Stop(); }

void Engine::RunThread(void* argument) {
  auto* engine = static_cast<Engine*>(argument);
  if (engine->descriptor_ < 0) {
    const MutexLock lock(engine->turns_);
    engine->core_->Run(engine->stop_);
  } else {
    engine->StandIn();
  }
}

bool Engine::Start(Host host) {
  std::unique_ptr<Poller> poller = CreatePoller();
  if (poller == nullptr) return false;
  if (host == Host::kJavaScript) descriptor_ = poller->descriptor();
  core_ = std::make_unique<Core>(
      up_, down_, up_payloads_, down_payloads_, [this] { OnDoorbell(); }, std::move(poller), lends_);
  const bool made = core_->Start();
  ForgetTlsErrors();
  if (!made) return false;
  running_ = thread_.Start(RunThread, this);
  return running_;
}

void Engine::Stop() {
  if (!running_) return;
  {
    const std::lock_guard lock(pause_mutex_);
    stop_.store(true);
  }
  pause_.notify_one();
  core_->loop().Wake();
  thread_.Join();
  running_ = false;
  core_.reset();
  ForgetTlsErrors();
}

// ---- turns on JavaScript's thread

bool Engine::TryTurns() {
  if (!turns_.TryLock()) {
    asked_back_.store(true);
    core_->loop().Wake();
    return false;
  }
  javascripts_turn_ = true;
  return true;
}

// Invariant 3.
void Engine::EndTurn() {
  const int wait_ms = core_->WaitMs();
  // It may ring itself.
  const bool has_work = core_->HasWork();
  if (rung_ || has_work || wait_ms == 0) {
    if (!std::exchange(readable_, true)) core_->loop().Wake();
  } else if (wait_ms > 0) {
    const uint64_t now_ms = NowMs();
    const uint64_t at_ms = now_ms + static_cast<uint64_t>(wait_ms);
    // Too early does no harm, and costs less than to set it each time.
    if (readable_at_ms_ <= now_ms || at_ms < readable_at_ms_) {
      readable_at_ms_ = at_ms;
      core_->loop().BeReadableAt(at_ms);
    }
  }
  ForgetTlsErrors();
  javascripts_turn_ = false;
  turns_.Unlock();
}

void Engine::Receive(int timeout_ms, uint32_t batch) {
  readable_ = false;
  core_->Receive(timeout_ms, batch);
}

bool Engine::TakeTurn() {
  if (!TryTurns()) return false;
  javascripts_turns_.fetch_add(1, std::memory_order_relaxed);
  Receive(0, kBatchBytes);
  read_on_until_us_ = core_->read_began_us() + kReadOnUs;
  const bool rung = ServeAndLook();
  EndTurn();
  return rung;
}

bool Engine::ReadOn() {
  if (NowUs() >= read_on_until_us_ || !TryTurns()) return false;
  core_->Read(kBatchBytes);
  // Invariant 5: if one is due, the next turn asks first what has come.
  const bool rung = core_->DeadlineMs() != 0 && ServeAndLook();
  EndTurn();
  return rung;
}

// True: JavaScript has to look at the up ring.
bool Engine::ServeAndLook() {
  // Invariant 5.
  if (core_->has_unread() && core_->DeadlineMs() == 0) core_->Read(Core::kNoBatch);
  core_->Serve();
  has_unread_ = core_->has_unread();
  return std::exchange(rung_, false);
}

void Engine::Wake() {
  if (!running_) return;
  if (descriptor_ < 0) {
    core_->loop().Wake();
  } else if (TryTurns()) {
    ServeAtOnce();
    EndTurn();
  }
}

bool Engine::SendNow(uint32_t id, std::span<const uint8_t> message) {
  if (!running_ || descriptor_ < 0 || !TryTurns()) return false;
  ServeAtOnce();
  const bool sent = core_->SendNow(id, message);
  EndTurn();
  return sent;
}

void Engine::ServeAtOnce() {
  // Invariant 5.
  if (core_->DeadlineMs() == 0) Receive(0, Core::kNoBatch);
  core_->Serve();
}

void Engine::OnDoorbell() {
  // The core rings from within a turn.
  turns_.AssertHeld();
  if (javascripts_turn_) {
    rung_ = true;
  } else {
    doorbell_();
  }
}

// ---- the stand-in

// True at the end of everything.
bool Engine::PauseToStop() {
  std::unique_lock lock(pause_mutex_);
  return pause_.wait_for(lock, kPatience, [this] { return stop_.load(); });
}

void Engine::StandIn() {
  pollfd watched{};
  watched.fd = static_cast<decltype(watched.fd)>(descriptor_);
  watched.events = POLLIN;
  while (!stop_.load()) {
    PollSockets({&watched, 1}, -1);
    const uint64_t before = javascripts_turns_.load(std::memory_order_relaxed);
    if (PauseToStop()) return;
    if (javascripts_turns_.load(std::memory_order_relaxed) == before && PollSockets({&watched, 1}, 0) > 0)
      TakeOver();
  }
}

void Engine::TakeOver() {
  const MutexLock lock(turns_);
  if (std::exchange(rung_, false)) doorbell_();
  // Whatever has been asked: this is what has waited. And invariant 5.
  Receive(0, Core::kNoBatch);
  while (!stop_.load() && !asked_back_.load()) {
    core_->Serve();
    Receive(core_->DeadlineMs(), Core::kNoBatch);
  }
  asked_back_.store(false);
  core_->Serve();
  // Whatever is left is JavaScript's, whose next word rings.
  core_->HasWork();
  core_->loop().Wake();
}

std::string Engine::LwsVersion() { return lws_get_library_version(); }

std::string Engine::TlsVersion() { return OpenSSL_version(OPENSSL_VERSION_STRING); }

std::string Engine::MissingPatches() { return OHWS_LWS_MISSING_PATCHES; }

void Engine::SetCompressionBudget(size_t bytes) { DeflateBudget::Process().SetLimit(bytes); }

size_t Engine::CompressionBytes() { return DeflateBudget::Process().used(); }

}  // namespace ohws
