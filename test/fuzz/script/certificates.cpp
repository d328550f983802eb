#include "script/certificates.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "fuzz.h"

namespace ohws::fuzz {
namespace {

template <auto kFree>
struct Free {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using File = std::unique_ptr<BIO, Free<BIO_free>>;

constexpr long kDay = 86'400;
constexpr const char* kRightNames = "DNS:localhost,IP:127.0.0.1,IP:::1";

struct Identity {
  Key key;
  Certificate certificate;
};

void AddExtension(X509* certificate, int nid, const char* value) {
  const std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, nullptr, nid, value));
  REQUIRE(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1);
}

// Without `issuer` it signs itself.
Identity Make(const std::string& name, const Identity* issuer, const char* names, long until = 30 * kDay) {
  static int serial = 0;
  Identity made{Key(EVP_EC_gen("P-256")), Certificate(X509_new())};
  X509* certificate = made.certificate.get();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -2 * kDay);
  X509_gmtime_adj(X509_getm_notAfter(certificate), until);
  X509_set_pubkey(certificate, made.key.get());
  X509_NAME* subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate,
                       issuer == nullptr ? subject : X509_get_subject_name(issuer->certificate.get()));
  if (names == nullptr) {
    AddExtension(certificate, NID_basic_constraints, "critical,CA:TRUE");
  } else {
    AddExtension(certificate, NID_subject_alt_name, names);
  }
  EVP_PKEY* signer = issuer == nullptr ? made.key.get() : issuer->key.get();
  REQUIRE(X509_sign(certificate, signer, EVP_sha256()) > 0);
  return made;
}

std::string WriteCertificate(const std::string& path, const Identity& identity) {
  const File file(BIO_new_file(path.c_str(), "w"));
  REQUIRE(PEM_write_bio_X509(file.get(), identity.certificate.get()) == 1);
  return path;
}

std::string WriteKey(const std::string& path, const Identity& identity, const std::string& password) {
  const File file(BIO_new_file(path.c_str(), "w"));
  const EVP_CIPHER* cipher = password.empty() ? nullptr : EVP_aes_256_cbc();
  REQUIRE(PEM_write_bio_PKCS8PrivateKey(file.get(), identity.key.get(), cipher, password.data(),
                                        static_cast<int>(password.size()), nullptr, nullptr) == 1);
  return path;
}

Certificates MakeAll() {
  std::string folder = std::filesystem::temp_directory_path() / "ohws-fuzz-XXXXXX";
  REQUIRE(mkdtemp(folder.data()) != nullptr);
  const auto write = [&folder](const std::string& name, const Identity& identity) {
    return KeyPair{WriteCertificate(folder + '/' + name + ".pem", identity),
                   WriteKey(folder + '/' + name + ".key", identity, "")};
  };
  const Identity ca = Make("CA", nullptr, nullptr);
  const Identity server = Make("server", &ca, kRightNames);
  Certificates files;
  files.folder = folder;
  files.ca_path = WriteCertificate(folder + "/ca.pem", ca);
  files.other_ca_path = WriteCertificate(folder + "/other-ca.pem", Make("other CA", nullptr, nullptr));
  files.server = write("server", server);
  files.second_server = write("second", Make("second", &ca, kRightNames));
  files.elsewhere = write("elsewhere", Make("elsewhere", &ca, "DNS:elsewhere.invalid"));
  files.expired = write("expired", Make("expired", &ca, kRightNames, -kDay));
  files.self_signed = write("self", Make("self", nullptr, kRightNames));
  files.client = write("client", Make("client", &ca, "DNS:client"));
  files.password = "secret";
  files.encrypted_key_path = WriteKey(folder + "/encrypted.key", server, files.password);
  files.garbage_path = folder + "/garbage";
  std::ofstream(files.garbage_path) << "nothing of use\n";
  ERR_clear_error();
  return files;
}

}  // namespace

const Certificates& Certificates::Get() {
  static const struct Made {
    Certificates files = MakeAll();
    ~Made() {
      std::error_code error;
      std::filesystem::remove_all(files.folder, error);
    }
  } made;
  return made.files;
}

}  // namespace ohws::fuzz
