// What the listeners of one server share, each on its engine thread: who may come in, how many may be on
// their way in, and how much each address may send. A server of several threads has one name for all of them.
// Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "protocol/admission.h"
#include "protocol/rates.h"
#include "wire/mutex.h"

namespace ohws {

class SharedAdmission {
 public:
  // `netstack`: its list of bans is the process's, across servers, environments and their ends (S9).
  SharedAdmission(const AdmissionLimits& limits, const RateLimit& address_rate, bool netstack)
      : shares_bans_(netstack),
        admission_(limits, netstack ? &Bans() : nullptr),
        address_rates_(address_rate) {}

  // That of the server of this name, as long as one of its listeners lives; a new one for no name.
  static std::shared_ptr<SharedAdmission> Of(const std::string& name, const AdmissionLimits& limits,
                                             const RateLimit& address_rate, bool netstack) {
    if (name.empty()) return std::make_shared<SharedAdmission>(limits, address_rate, netstack);
    static Mutex mutex;
    static std::map<std::string, std::weak_ptr<SharedAdmission>> named OHWS_GUARDED_BY(mutex);
    const MutexLock lock(mutex);
    std::erase_if(named, [](const auto& entry) { return entry.second.expired(); });
    std::weak_ptr<SharedAdmission>& known = named[name];
    std::shared_ptr<SharedAdmission> admission = known.lock();
    if (admission == nullptr) {
      admission = std::make_shared<SharedAdmission>(limits, address_rate, netstack);
      known = admission;
    }
    return admission;
  }

  // Who is accepted counts from now on, to the matching Leave(): nobody comes in between.
  Verdict Enter(std::string_view ip, uint64_t now_ms) {
    const MutexLock lock(mutex_);
    if (!shares_bans_) return EnterLocked(ip, now_ms);
    const MutexLock bans(BansMutex());
    return EnterLocked(ip, now_ms);
  }
  void Leave(std::string_view ip) {
    const MutexLock lock(mutex_);
    admission_.Remove(ip);
  }
  // A TCP connection was accepted, and counts until it is upgraded or gone; false if there are so many
  // already.
  bool EnterHandshake(uint64_t most) {
    uint64_t count = handshakes_.load(std::memory_order_relaxed);
    while (count < most) {
      if (handshakes_.compare_exchange_weak(count, count + 1, std::memory_order_relaxed)) return true;
    }
    return false;
  }
  void LeaveHandshakes(uint64_t count) { handshakes_.fetch_sub(count, std::memory_order_relaxed); }
  // What all connections of this address share; null without a limit.
  std::shared_ptr<AddressMeter> RateOf(std::string_view ip, uint64_t now_ms) {
    const MutexLock lock(mutex_);
    return address_rates_.Of(ip, now_ms);
  }

 private:
  static Mutex& BansMutex() {
    static Mutex mutex;
    return mutex;
  }
  static ConnectRates& Bans() {
    static ConnectRates bans;
    return bans;
  }

  Verdict EnterLocked(std::string_view ip, uint64_t now_ms) OHWS_REQUIRES(mutex_) {
    const Verdict verdict = admission_.Check(ip, now_ms);
    if (verdict == Verdict::kAccept) admission_.Add(ip);
    return verdict;
  }

  const bool shares_bans_;
  std::atomic<uint64_t> handshakes_ = 0;
  Mutex mutex_;
  Admission admission_ OHWS_GUARDED_BY(mutex_);
  AddressRates address_rates_ OHWS_GUARDED_BY(mutex_);
};

}  // namespace ohws
