// Gives a target every file of the folders that are named, in the order of their names: the corpus as a test,
// for any compiler. Fails if there is none.
#include <filesystem>
#include <fstream>
#include <iterator>

#include "fuzz.h"

int main(int count, char** arguments) {
  std::vector<std::filesystem::path> files;
  for (int i = 1; i < count; ++i) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(arguments[i], error))
      files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    std::ifstream stream(file, std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
    // Named before it is run, for whoever looks at what it ended with.
    std::printf("%s\n", file.filename().c_str());
    std::fflush(stdout);
    ohws::fuzz::FuzzOne(ohws::fuzz::Input({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}));
  }
  std::printf("%zu inputs\n", files.size());
  return files.empty() ? EXIT_FAILURE : EXIT_SUCCESS;
}
