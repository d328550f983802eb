// The Admission of a server, which several listeners of it may share, each on its engine thread: a server of
// several threads has one name for all of them. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "protocol/admission.h"
#include "wire/mutex.h"

namespace ohws {

class SharedAdmission {
 public:
  explicit SharedAdmission(const AdmissionLimits& limits, ConnectRates* rates) : admission_(limits, rates) {}

  // That of the server of this name, as long as one of its listeners lives; a new one for no name.
  static std::shared_ptr<SharedAdmission> Of(const std::string& name, const AdmissionLimits& limits,
                                             ConnectRates* rates) {
    if (name.empty()) return std::make_shared<SharedAdmission>(limits, rates);
    static Mutex mutex;
    static std::map<std::string, std::weak_ptr<SharedAdmission>> named OHWS_GUARDED_BY(mutex);
    const MutexLock lock(mutex);
    std::erase_if(named, [](const auto& entry) { return entry.second.expired(); });
    std::weak_ptr<SharedAdmission>& known = named[name];
    std::shared_ptr<SharedAdmission> admission = known.lock();
    if (admission == nullptr) {
      admission = std::make_shared<SharedAdmission>(limits, rates);
      known = admission;
    }
    return admission;
  }

  Verdict Check(std::string_view ip, uint64_t now_ms) {
    const MutexLock lock(mutex_);
    return admission_.Check(ip, now_ms);
  }
  void Add(std::string_view ip) {
    const MutexLock lock(mutex_);
    admission_.Add(ip);
  }
  void Remove(std::string_view ip) {
    const MutexLock lock(mutex_);
    admission_.Remove(ip);
  }

 private:
  Mutex mutex_;
  Admission admission_ OHWS_GUARDED_BY(mutex_);
};

}  // namespace ohws
