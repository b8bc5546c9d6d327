//===- OutputFileTest.cpp -------------------------------------------------===//

#include "quant-mlir/Support/OutputFile.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include "gtest/gtest.h"

using namespace quant_mlir;
namespace fs = llvm::sys::fs;

namespace {
class OutputFileTest : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_FALSE(fs::createUniqueDirectory("output-file-test", directory));
  }
  void TearDown() override { fs::remove_directories(directory); }

  std::string path(llvm::StringRef name) {
    llvm::SmallString<128> result(directory);
    llvm::sys::path::append(result, name);
    return result.str().str();
  }
  std::string read(llvm::StringRef name) {
    auto buffer = llvm::MemoryBuffer::getFile(path(name));
    return buffer ? (*buffer)->getBuffer().str() : "<none>";
  }
  llvm::Error write(llvm::StringRef name, llvm::StringRef text) {
    return writeFileAtomically(path(name),
                               [&](llvm::raw_ostream &os) { os << text; });
  }
  unsigned countFiles() {
    std::error_code ec;
    unsigned count = 0;
    for (fs::directory_iterator it(directory, ec), end; it != end && !ec;
         it.increment(ec))
      ++count;
    return count;
  }

  llvm::SmallString<128> directory;
};
} // namespace

TEST_F(OutputFileTest, nothingHappensBeforeCommit) {
  ASSERT_FALSE(bool(write("x", "old")));
  {
    auto file = OutputFile::stage(path("x"),
                                  [](llvm::raw_ostream &os) { os << "new"; });
    ASSERT_TRUE(bool(file));
    EXPECT_EQ(read("x"), "old");
  }
  EXPECT_EQ(read("x"), "old");
  EXPECT_EQ(countFiles(), 1u);
  auto file =
      OutputFile::stage(path("x"), [](llvm::raw_ostream &os) { os << "new"; });
  ASSERT_TRUE(bool(file));
  EXPECT_FALSE(bool(file->commit()));
  EXPECT_EQ(read("x"), "new");
  EXPECT_EQ(countFiles(), 1u);
}

TEST_F(OutputFileTest, followsLinks) {
  ASSERT_FALSE(bool(write("real", "old")));
  ASSERT_FALSE(fs::create_link(path("real"), path("link")));
  ASSERT_FALSE(bool(write("link", "new")));
  EXPECT_EQ(read("real"), "new");
  bool isLink = false;
  EXPECT_FALSE(fs::is_symlink_file(path("link"), isLink));
  EXPECT_TRUE(isLink);
}

TEST_F(OutputFileTest, writesIntoDevices) {
  EXPECT_FALSE(bool(writeFileAtomically(
      "/dev/null", [](llvm::raw_ostream &os) { os << "text"; })));
  fs::file_status status;
  ASSERT_FALSE(fs::status("/dev/null", status));
  EXPECT_EQ(status.type(), fs::file_type::character_file);
}

TEST_F(OutputFileTest, namesWhatCannotBeWritten) {
  EXPECT_EQ(llvm::toString(
                writeFileAtomically(directory, [](llvm::raw_ostream &) {})),
            "'" + directory.str().str() +
                "': cannot be written: it is a directory; give the name of a "
                "file");
  EXPECT_EQ(llvm::toString(write("missing/x", "text")),
            "'" + path("missing/x") +
                "': cannot be written: No such file or directory");
}
