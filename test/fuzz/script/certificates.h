// Certificates for the scripts, made once for the process in a folder of their own, which goes with it: good
// ones, and such as are wrong in one way.
#pragma once

#include <string>

namespace ohws::fuzz {

struct KeyPair {
  std::string cert_path;
  std::string key_path;
};

struct Certificates {
  std::string folder;
  std::string ca_path;        // of all but `self_signed`
  std::string other_ca_path;  // has signed nothing
  KeyPair server;             // for localhost and the loopback addresses
  KeyPair second_server;
  KeyPair elsewhere;    // for another name
  KeyPair expired;      // for the right one
  KeyPair self_signed;  // likewise
  KeyPair client;
  std::string encrypted_key_path;  // of `server`
  std::string password;            // of that
  std::string garbage_path;        // a file with nothing of use

  static const Certificates& Get();
};

}  // namespace ohws::fuzz
