// What the listeners of one server share, each on its engine thread: who may come in, and how much each
// address may send. A server of several threads has one name for all of them. Any thread.
#pragma once

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
  SharedAdmission(const AdmissionLimits& limits, ConnectRates* rates, const RateLimit& address_rate)
      : admission_(limits, rates), address_rates_(address_rate) {}

  // That of the server of this name, as long as one of its listeners lives; a new one for no name.
  static std::shared_ptr<SharedAdmission> Of(const std::string& name, const AdmissionLimits& limits,
                                             ConnectRates* rates, const RateLimit& address_rate) {
    if (name.empty()) return std::make_shared<SharedAdmission>(limits, rates, address_rate);
    static Mutex mutex;
    static std::map<std::string, std::weak_ptr<SharedAdmission>> named OHWS_GUARDED_BY(mutex);
    const MutexLock lock(mutex);
    std::erase_if(named, [](const auto& entry) { return entry.second.expired(); });
    std::weak_ptr<SharedAdmission>& known = named[name];
    std::shared_ptr<SharedAdmission> admission = known.lock();
    if (admission == nullptr) {
      admission = std::make_shared<SharedAdmission>(limits, rates, address_rate);
      known = admission;
    }
    return admission;
  }

  // Who is accepted counts from now on, to the matching Leave(): nobody comes in between.
  Verdict Enter(std::string_view ip, uint64_t now_ms) {
    const MutexLock lock(mutex_);
    const Verdict verdict = admission_.Check(ip, now_ms);
    if (verdict == Verdict::kAccept) admission_.Add(ip);
    return verdict;
  }
  void Leave(std::string_view ip) {
    const MutexLock lock(mutex_);
    admission_.Remove(ip);
  }
  // What all connections of this address share; null without a limit.
  std::shared_ptr<AddressMeter> RateOf(std::string_view ip, uint64_t now_ms) {
    const MutexLock lock(mutex_);
    return address_rates_.Of(ip, now_ms);
  }

 private:
  Mutex mutex_;
  Admission admission_ OHWS_GUARDED_BY(mutex_);
  AddressRates address_rates_ OHWS_GUARDED_BY(mutex_);
};

}  // namespace ohws
