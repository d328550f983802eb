// The engine's wishes on Windows. Any thread.
#include <winsock2.h>
// Behind it.
#include <windows.h>
// Behind that.
#include <bcrypt.h>
#include <process.h>
#include <wincrypt.h>

#include <algorithm>
#include <climits>
#include <string_view>
#include <vector>

#include "engine/system.h"
// Behind wincrypt.h, whose macros of the same names it takes away.
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace ohws {

namespace {

std::wstring ToWide(const std::string& utf8) {
  const int size = static_cast<int>(std::min<size_t>(utf8.size(), INT_MAX));
  std::wstring wide(
      static_cast<size_t>(std::max(MultiByteToWideChar(CP_UTF8, 0, utf8.data(), size, nullptr, 0), 0)),
      L'\0');
  MultiByteToWideChar(CP_UTF8, 0, utf8.data(), size, wide.data(), static_cast<int>(wide.size()));
  return wide;
}

uint64_t Joined(DWORD high, DWORD low) { return uint64_t{high} << 32 | low; }

// Whether a certificate authority may vouch for servers: unless the system keeps it to other uses.
bool VouchesForServers(const CERT_CONTEXT* certificate) {
  DWORD size = 0;
  if (CertGetEnhancedKeyUsage(certificate, 0, nullptr, &size) == 0)
    return GetLastError() == static_cast<DWORD>(CRYPT_E_NOT_FOUND);
  std::vector<std::max_align_t> room(size / sizeof(std::max_align_t) + 1);
  auto* usage = reinterpret_cast<CERT_ENHKEY_USAGE*>(room.data());
  if (CertGetEnhancedKeyUsage(certificate, 0, usage, &size) == 0) return false;
  // None at all: for everything, or for nothing.
  if (usage->cUsageIdentifier == 0) return GetLastError() == static_cast<DWORD>(CRYPT_E_NOT_FOUND);
  return std::any_of(usage->rgpszUsageIdentifier, usage->rgpszUsageIdentifier + usage->cUsageIdentifier,
                     [](const char* id) { return std::string_view(id) == szOID_PKIX_KP_SERVER_AUTH; });
}

}  // namespace

uint64_t MonotonicUs() {
  constexpr uint64_t kMicro = 1'000'000;
  LARGE_INTEGER per_second;
  LARGE_INTEGER now;
  QueryPerformanceFrequency(&per_second);
  QueryPerformanceCounter(&now);
  const auto frequency = static_cast<uint64_t>(per_second.QuadPart);
  const auto ticks = static_cast<uint64_t>(now.QuadPart);
  return ticks / frequency * kMicro + ticks % frequency * kMicro / frequency;
}

bool FillFromSystem(uint8_t* out, size_t size) {
  return BCryptGenRandom(nullptr, out, static_cast<ULONG>(size), BCRYPT_USE_SYSTEM_PREFERRED_RNG) == 0;
}

std::string FileStamp(const std::string& path) {
  WIN32_FILE_ATTRIBUTE_DATA found{};
  if (path.empty() || GetFileAttributesExW(ToWide(path).c_str(), GetFileExInfoStandard, &found) == 0)
    return {};
  return std::to_string(Joined(found.ftLastWriteTime.dwHighDateTime, found.ftLastWriteTime.dwLowDateTime)) +
         ' ' + std::to_string(Joined(found.nFileSizeHigh, found.nFileSizeLow));
}

struct SystemThread::Handle {
  HANDLE thread = nullptr;
  Main main = nullptr;
  void* argument = nullptr;

  static unsigned __stdcall Run(void* opaque) {
    const Handle& handle = *static_cast<const Handle*>(opaque);
    handle.main(handle.argument);
    return 0;
  }
};

SystemThread::SystemThread() = default;
SystemThread::~SystemThread() = default;

// There are no signals to keep away.
bool SystemThread::Start(Main main, void* argument) {
  handle_ = std::make_unique<Handle>();
  handle_->main = main;
  handle_->argument = argument;
  handle_->thread =
      reinterpret_cast<HANDLE>(_beginthreadex(nullptr, 0, Handle::Run, handle_.get(), 0, nullptr));
  return handle_->thread != nullptr;
}

void SystemThread::Join() {
  WaitForSingleObject(handle_->thread, INFINITE);
  CloseHandle(handle_->thread);
}

std::string SystemTrustFile() { return {}; }

void AddSystemTrust(ssl_ctx_st* context) {
  HCERTSTORE roots = CertOpenSystemStoreW(0, L"ROOT");
  if (roots == nullptr) return;
  X509_STORE* trusted = SSL_CTX_get_cert_store(context);
  const CERT_CONTEXT* found = nullptr;
  while ((found = CertEnumCertificatesInStore(roots, found)) != nullptr) {
    if (!VouchesForServers(found)) continue;
    const unsigned char* der = found->pbCertEncoded;
    X509* certificate = d2i_X509(nullptr, &der, static_cast<long>(found->cbCertEncoded));
    if (certificate == nullptr) continue;
    X509_STORE_add_cert(trusted, certificate);
    X509_free(certificate);
  }
  CertCloseStore(roots, 0);
}

}  // namespace ohws
