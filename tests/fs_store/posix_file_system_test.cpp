// The file system of the operating system: what it follows, refuses, makes and says.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <string>
#include <vector>

#include "file_system.h"
#include "support/domain.h"
#include "support/fs_store/files_fixture.h"
#include "support/fs_store/process_limits.h"

namespace worker_runtime::fs_store {
namespace {

using testing::fails_with;
using testing::is_ok;

class PosixFileSystem : public FilesTest {
 protected:
  /// A place beside the file system's directory, where nothing of it may ever get to.
  testing::TemporaryDirectory outside_;
  [[nodiscard]] std::string outside(std::string_view name) const {
    return (outside_.path() / name).string();
  }
  [[nodiscard]] std::unique_ptr<FileSystem> open_again(
      Permissions permissions = Permissions::owner_only) const {
    return open_posix_file_system(path().string(), false, permissions).value();
  }
};

template <typename T>
::testing::AssertionResult fails_by(const Result<T>& result, std::initializer_list<int> numbers) {
  if (result) return ::testing::AssertionFailure() << "it succeeded";
  for (const int number : numbers) {
    if (result.error().code() == ErrorCode::store_io && system_error_of(result.error()) == number)
      return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure() << result.error().detail();
}

mode_t mode_of(const std::filesystem::path& path) {
  struct stat status {};
  EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777U;
}

// ---- files

TEST_F(PosixFileSystem, WhatIsWrittenAtAnOffsetIsReadThere) {
  const auto file = files().open("f", OpenMode::create_new).value();
  ASSERT_TRUE(is_ok(file->write(0, "hello")));
  ASSERT_TRUE(is_ok(file->write(8, "world")));
  EXPECT_EQ(file->read(0, 100).value(), std::string("hello\0\0\0world", 13));
  EXPECT_EQ(file->read(8, 3).value(), "wor");
  EXPECT_EQ(file->read(13, 5).value(), "");
  EXPECT_EQ(file->read(1'000'000, 5).value(), "");
  EXPECT_EQ(file->size().value(), 13U);
  ASSERT_TRUE(is_ok(file->truncate(4)));
  ASSERT_TRUE(is_ok(file->truncate(6)));
  EXPECT_EQ(content("f"), std::string("hell\0\0", 6));
  EXPECT_TRUE(is_ok(file->sync()));
}

TEST_F(PosixFileSystem, ModesInsistOnWhatTheySay) {
  EXPECT_TRUE(fails_by(files().open("f", OpenMode::read), {ENOENT}));
  EXPECT_TRUE(fails_by(files().open("f", OpenMode::write), {ENOENT}));
  ASSERT_TRUE(is_ok(files().open("f", OpenMode::create_new)));
  EXPECT_TRUE(fails_by(files().open("f", OpenMode::create_new), {EEXIST}));
  ASSERT_TRUE(is_ok(files().open("f", OpenMode::write).value()->write(0, "x")));
  EXPECT_TRUE(fails_by(files().open("f", OpenMode::read).value()->write(0, "y"), {EBADF}));
  EXPECT_EQ(content("f"), "x");
}

TEST_F(PosixFileSystem, WriteThatFindsNoRoomIsFullAndLeavesAPrefix) {
  const auto file = files().open("f", OpenMode::create_new).value();
  ASSERT_TRUE(is_ok(file->write(0, "0123")));
  {
    const FileSizeLimit limit(10);
    const auto written = file->write(4, "456789ABCDEF");
    ASSERT_TRUE(fails_by(written, {EFBIG}));
    EXPECT_TRUE(is_full(written.error()));
  }
  EXPECT_EQ(content("f"), "0123456789");
}

TEST_F(PosixFileSystem, ErrorsNameTheFileAndKeepTheRootToTheLog) {
  ASSERT_TRUE(is_ok(files().make_directory("below")));
  const auto below = files().directory("below").value();
  EXPECT_EQ(below->prefix(), "below/");
  EXPECT_EQ(below->root(), path().string());
  const auto missing = below->open("f", OpenMode::read);
  ASSERT_FALSE(missing);
  EXPECT_TRUE(is_missing(missing.error()));
  EXPECT_EQ(missing.error().get<FileFields>()->path, "below/f");
  EXPECT_EQ(missing.error().message().find(path().string()), std::string::npos);
  EXPECT_NE(missing.error().detail().find(path().string()), std::string::npos);
}

TEST(FileErrors, FullAndMissingAreToldFromTheErrnoButNotOfASync) {
  const auto error = [](ErrorCode code, int number) {
    FileFields fields;
    fields.system_error = number;
    return Error(code, "x", fields);
  };
  for (const int number : {ENOSPC, EDQUOT, EFBIG}) {
    EXPECT_TRUE(is_full(error(ErrorCode::store_io, number)));
    EXPECT_FALSE(is_full(error(ErrorCode::store_failed, number)));
  }
  for (const int number : {0, EIO, ENOENT, EACCES, ENOMEM})
    EXPECT_FALSE(is_full(error(ErrorCode::store_io, number)));
  EXPECT_TRUE(is_missing(error(ErrorCode::store_io, ENOENT)));
  EXPECT_FALSE(is_missing(error(ErrorCode::store_failed, ENOENT)));
  EXPECT_FALSE(is_missing(error(ErrorCode::store_io, ENOTDIR)));
  EXPECT_FALSE(is_full(Error(ErrorCode::store_io, "x")));
  EXPECT_FALSE(is_missing(Error(ErrorCode::store_missing, "x")));
}

// ---- directories

TEST_F(PosixFileSystem, ListIsInByteOrderWithKinds) {
  for (const char* name : {"b", "a.b", "a", "B", "a-b", "\xC3\xA9", "10", "9"}) put(name, "");
  ASSERT_TRUE(is_ok(files().make_directory("dir")));
  std::filesystem::create_symlink("a", path("link"));
  EXPECT_EQ(names(""), (std::vector<std::string>{"10", "9", "B", "a", "a-b", "a.b", "b", "dir",
                                                 "link", "\xC3\xA9"}));
  const std::vector<DirectoryEntry> entries = files().list("").value();
  for (const DirectoryEntry& entry : entries) {
    const EntryKind kind = entry.name == "dir"    ? EntryKind::directory
                           : entry.name == "link" ? EntryKind::other
                                                  : EntryKind::file;
    EXPECT_EQ(entry.kind, kind) << entry.name;
  }
}

TEST_F(PosixFileSystem, LongDirectoryIsListedWhole) {
  ASSERT_TRUE(is_ok(files().make_directory("d")));
  std::vector<std::string> expected;
  for (int number = 1000; number < 4000; ++number) {
    expected.push_back(std::string(60, 'n') + std::to_string(number));
    put("d/" + expected.back(), "");
  }
  EXPECT_EQ(names("d"), expected);
  EXPECT_TRUE(fails_by(files().list("none"), {ENOENT}));
  EXPECT_TRUE(fails_by(files().list("d/" + expected[0]), {ENOTDIR}));
}

TEST_F(PosixFileSystem, KindTellsWhatIsThereAndNoneOfNothing) {
  put("d/f", "");
  EXPECT_EQ(files().kind("d").value(), EntryKind::directory);
  EXPECT_EQ(files().kind("d/f").value(), EntryKind::file);
  EXPECT_EQ(files().kind("d/g").value(), std::nullopt);
  EXPECT_EQ(files().kind("no/such").value(), std::nullopt);
}

TEST_F(PosixFileSystem, RenameReplacesAFileAndRemovesComeInTwoKinds) {
  put("d/a", "new");
  put("b", "old");
  ASSERT_TRUE(is_ok(files().rename("d/a", "b")));
  EXPECT_EQ(content("b"), "new");
  EXPECT_TRUE(fails_by(files().rename("d/a", "b"), {ENOENT}));
  EXPECT_TRUE(fails_by(files().remove_directory("b"), {ENOTDIR}));
  EXPECT_TRUE(fails_by(files().remove_file("d"), {EISDIR}));
  EXPECT_TRUE(is_ok(files().remove_directory("d")));
  EXPECT_TRUE(is_ok(files().remove_file("b")));
  EXPECT_TRUE(fails_by(files().remove_file("b"), {ENOENT}));
  EXPECT_TRUE(names("").empty());
}

TEST_F(PosixFileSystem, DirectoriesAreMadeOneByOneAndSynced) {
  EXPECT_TRUE(fails_by(files().make_directory("a/b"), {ENOENT}));
  ASSERT_TRUE(is_ok(files().make_directory("a")));
  ASSERT_TRUE(is_ok(files().make_directory("a/b")));
  EXPECT_TRUE(fails_by(files().make_directory("a/b"), {EEXIST}));
  for (const char* name : {"", "a", "a/b"}) EXPECT_TRUE(is_ok(files().sync_directory(name)));
  EXPECT_TRUE(is_missing(files().sync_directory("gone").error()));
  EXPECT_TRUE(is_ok(files().sync_all()));
  EXPECT_GT(files().space().value().free_bytes, 0U);
}

// ---- what is not followed, and not opened

TEST_F(PosixFileSystem, SymbolicLinkInPlaceOfAFileIsRefused) {
  put("real", "real");
  std::filesystem::create_symlink("real", path("link"));
  std::filesystem::create_symlink(outside("secret"), path("dangling"));
  for (const OpenMode mode : {OpenMode::read, OpenMode::write, OpenMode::create_new}) {
    EXPECT_TRUE(fails_by(files().open("link", mode), {ELOOP, EEXIST}));
    EXPECT_FALSE(files().open("dangling", mode));
  }
  EXPECT_FALSE(std::filesystem::exists(outside("secret")));
  EXPECT_EQ(files().kind("link").value(), EntryKind::other);
}

TEST_F(PosixFileSystem, SymbolicLinkInPlaceOfADirectoryIsRefused) {
  std::filesystem::create_directory(outside("d"));
  std::filesystem::create_directory_symlink(outside("d"), path("link"));
  put("f", "content");
  EXPECT_FALSE(files().open("link/f", OpenMode::create_new));
  EXPECT_FALSE(files().make_directory("link/e"));
  EXPECT_FALSE(files().rename("f", "link/f"));
  EXPECT_FALSE(files().list("link"));
  EXPECT_FALSE(files().directory("link"));
  EXPECT_FALSE(files().sync_directory("link"));
  EXPECT_FALSE(files().kind("link/f"));
  EXPECT_TRUE(std::filesystem::is_empty(outside("d")));
  EXPECT_EQ(content("f"), "content");
}

TEST_F(PosixFileSystem, RemoveAndRenameTakeTheLinkAndNotItsTarget) {
  put("real", "real");
  std::filesystem::create_symlink("real", path("link"));
  ASSERT_TRUE(is_ok(files().remove_file("link")));
  EXPECT_EQ(content("real"), "real");
  std::filesystem::create_symlink("real", path("link"));
  put("new", "new");
  ASSERT_TRUE(is_ok(files().rename("new", "link")));
  EXPECT_EQ(content("real"), "real");
  EXPECT_EQ(files().kind("link").value(), EntryKind::file);
}

TEST_F(PosixFileSystem, DirectoryAndPipeInPlaceOfAFileAreRefusedWithoutBlocking) {
  ASSERT_TRUE(is_ok(files().make_directory("dir")));
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  for (const OpenMode mode : {OpenMode::read, OpenMode::write}) {
    EXPECT_TRUE(fails_by(files().open("dir", mode), {EISDIR}));
    EXPECT_TRUE(fails_by(files().open("pipe", mode), {EINVAL}));
  }
  EXPECT_EQ(files().kind("pipe").value(), EntryKind::other);
}

/// Whether a file system of the directory `root` keeps out of the one above it.
bool stays_inside(const std::string& root) {
  const auto files = open_posix_file_system(root, false, Permissions::owner_only).value();
  const bool inside_works = files->make_directory("d").has_value() &&
                            files->open("d/f", OpenMode::create_new).has_value() &&
                            files->open("d/f", OpenMode::write).has_value() &&
                            files->list("d").has_value() && files->sync_directory("").has_value();
  bool got_out = false;
  for (const std::string& out : {std::string("../sibling"), std::string("d/../../sibling"),
                                 root.substr(0, root.rfind('/')) + "/sibling"}) {
    got_out = got_out || files->open(out, OpenMode::read).has_value() ||
              files->open(out + "-2", OpenMode::create_new).has_value() ||
              files->make_directory(out + "-3").has_value() ||
              files->rename("d/f", out + "-4").has_value() || files->remove_file(out).has_value() ||
              files->try_lock(out + "-5").has_value();
  }
  for (const std::string& out : {std::string(".."), std::string("d/../.."), std::string("/")}) {
    got_out = got_out || files->list(out).has_value() || files->directory(out).has_value() ||
              files->sync_directory(out).has_value();
  }
  return inside_works && !got_out && files->open("d/f", OpenMode::read).has_value();
}

/// Lets openat2 fail from here on as on a kernel that doesn't have it.
bool forbid_openat2() {
  std::array<sock_filter, 4> program{{
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_openat2},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | ENOSYS},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
  }};
  const sock_fprog filter{program.size(), program.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

TEST_F(PosixFileSystem, NoPathLeavesTheDirectory) {
  put("sibling", "");
  ASSERT_TRUE(is_ok(files().make_directory("root")));
  EXPECT_TRUE(stays_inside(path("root").string()));
  EXPECT_EQ(names(""), (std::vector<std::string>{"root", "sibling"}));
}

TEST_F(PosixFileSystem, NoPathLeavesTheDirectoryOnAKernelWithoutOpenat2) {
  put("sibling", "");
  ASSERT_TRUE(is_ok(files().make_directory("root")));
  ASSERT_TRUE(holds_in_child([] { return forbid_openat2(); })) << "seccomp is not to be had";
  EXPECT_TRUE(
      holds_in_child([&] { return forbid_openat2() && stays_inside(path("root").string()); }));
  EXPECT_EQ(names(""), (std::vector<std::string>{"root", "sibling"}));
}

TEST_F(PosixFileSystem, SymbolicLinksAreNotFollowedOnAKernelWithoutOpenat2) {
  put("real", "real");
  std::filesystem::create_symlink("real", path("link"));
  std::filesystem::create_directory_symlink(outside_.path(), path("way out"));
  EXPECT_TRUE(holds_in_child([&] {
    const bool forbidden = forbid_openat2();
    const auto again = open_again();
    return forbidden && again->open("real", OpenMode::read).has_value() &&
           !again->open("link", OpenMode::read).has_value() &&
           !again->list("way out").has_value() &&
           !again->open("way out/f", OpenMode::create_new).has_value() &&
           !again->make_directory("way out/d").has_value();
  }));
  EXPECT_TRUE(std::filesystem::is_empty(outside_.path()));
}

// ---- permissions

TEST_F(PosixFileSystem, EverythingIsForItsOwnerAlone) {
  const mode_t mask = ::umask(0);
  const auto made =
      open_posix_file_system(path("x/y").string(), true, Permissions::owner_only).value();
  static_cast<void>(made->make_directory("d").has_value());
  static_cast<void>(made->open("f", OpenMode::create_new).has_value());
  static_cast<void>(made->try_lock("lock").has_value());
  static_cast<void>(made->directory("d").value()->make_directory("e").has_value());
  ::umask(mask);
  for (const char* name : {"x", "x/y", "x/y/d", "x/y/d/e"}) EXPECT_EQ(mode_of(path(name)), 0700U);
  for (const char* name : {"x/y/f", "x/y/lock"}) EXPECT_EQ(mode_of(path(name)), 0600U);
}

TEST_F(PosixFileSystem, OptionLetsTheGroupReadEverything) {
  const mode_t mask = ::umask(0);
  const auto made =
      open_posix_file_system(path("x/y").string(), true, Permissions::group_read).value();
  static_cast<void>(made->make_directory("d").has_value());
  static_cast<void>(made->directory("d").value()->open("f", OpenMode::create_new).has_value());
  static_cast<void>(made->try_lock("lock").has_value());
  ::umask(mask);
  for (const char* name : {"x", "x/y", "x/y/d"}) EXPECT_EQ(mode_of(path(name)), 0750U);
  for (const char* name : {"x/y/d/f", "x/y/lock"}) EXPECT_EQ(mode_of(path(name)), 0640U);
}

TEST_F(PosixFileSystem, OpenedRootMustBeThereUnlessItIsToBeMade) {
  const std::string missing = path("no/such").string();
  EXPECT_TRUE(fails_by(open_posix_file_system(missing, false, Permissions::owner_only), {ENOENT}));
  EXPECT_FALSE(exists("no"));
  EXPECT_TRUE(is_ok(open_posix_file_system(missing, true, Permissions::owner_only)));
  EXPECT_TRUE(is_ok(open_posix_file_system(missing, true, Permissions::owner_only)));
  put("file", "");
  EXPECT_FALSE(open_posix_file_system(path("file").string(), true, Permissions::owner_only));
}

TEST_F(PosixFileSystem, OperatorMayReachTheRootThroughALink) {
  std::filesystem::create_directory(outside("d"));
  std::filesystem::create_directory_symlink(outside("d"), path("link"));
  const auto opened = open_posix_file_system(path("link").string(), false, Permissions::owner_only);
  ASSERT_TRUE(is_ok(opened));
  ASSERT_TRUE(is_ok((*opened)->make_directory("e")));
  EXPECT_TRUE(std::filesystem::exists(outside("d/e")));
}

// ---- the lock

TEST_F(PosixFileSystem, LockIsHeldUntilItIsDestroyed) {
  auto held = files().try_lock("lock").value();
  ASSERT_NE(held, nullptr);
  EXPECT_EQ(files().try_lock("lock").value(), nullptr) << "through the same handle";
  EXPECT_EQ(open_again()->try_lock("lock").value(), nullptr) << "through another one";
  EXPECT_TRUE(open_again()->is_locked("lock"));
  held.reset();
  EXPECT_FALSE(open_again()->is_locked("lock"));
  EXPECT_NE(open_again()->try_lock("lock").value(), nullptr);
}

TEST_F(PosixFileSystem, LockIsAnnouncedWhenItsHolderSaysSo) {
  auto held = files().try_lock("lock").value();
  ASSERT_NE(held, nullptr);
  EXPECT_FALSE(open_again()->is_announced("lock"));
  ASSERT_TRUE(is_ok(held->announce()));
  EXPECT_TRUE(open_again()->is_announced("lock"));
  EXPECT_TRUE(open_again()->is_locked("lock"));
  EXPECT_EQ(open_again()->try_lock("lock").value(), nullptr);
  held.reset();
  EXPECT_FALSE(open_again()->is_announced("lock"));
  held = files().try_lock("lock").value();
  ASSERT_NE(held, nullptr);
  EXPECT_FALSE(open_again()->is_announced("lock")) << "the announcement went with its holder";
}

TEST_F(PosixFileSystem, OpeningAndClosingTheLockFileDoesNotReleaseIt) {
  const auto held = files().try_lock("lock").value();
  ASSERT_TRUE(is_ok(files().open("lock", OpenMode::write)));  // and closed at once
  EXPECT_EQ(open_again()->try_lock("lock").value(), nullptr);
}

TEST_F(PosixFileSystem, LockKeepsAnotherProcessOut) {
  auto held = files().try_lock("lock").value();
  const auto gets_it = [this] { return open_again()->try_lock("lock").value() != nullptr; };
  EXPECT_FALSE(holds_in_child(gets_it));
  EXPECT_TRUE(holds_in_child([this] { return open_again()->is_locked("lock"); }));
  held.reset();
  EXPECT_TRUE(holds_in_child(gets_it));
  EXPECT_TRUE(gets_it()) << "a process that is gone holds nothing";
}

TEST_F(PosixFileSystem, ForkedChildThatKeepsTheHandleCountsAsTheHolder) {
  auto held = files().try_lock("lock").value();
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(pipe[1]);
    char byte = 0;
    ::_exit(::read(pipe[0], &byte, 1) == 0 ? 0 : 1);  // until the parent has closed its end
  }
  held.reset();
  EXPECT_EQ(files().try_lock("lock").value(), nullptr);
  EXPECT_TRUE(files().is_locked("lock"));
  ::close(pipe[1]);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  ::close(pipe[0]);
  EXPECT_NE(files().try_lock("lock").value(), nullptr);
}

TEST_F(PosixFileSystem, RemovedLockFileLetsNobodyIn) {
  auto held = files().try_lock("lock").value();
  ASSERT_TRUE(is_ok(files().remove_file("lock")));
  EXPECT_TRUE(files().is_locked("lock")) << "it cannot be told, so it may be";
  EXPECT_EQ(open_again()->try_lock("lock").value(), nullptr);
  EXPECT_FALSE(
      holds_in_child([this] { return open_again()->try_lock("lock").value() != nullptr; }));
  held.reset();
  EXPECT_NE(open_again()->try_lock("lock").value(), nullptr);
}

TEST_F(PosixFileSystem, ReplacedLockFileLetsNobodyIn) {
  auto held = files().try_lock("lock").value();
  put("other", "text");
  ASSERT_TRUE(is_ok(files().rename("other", "lock")));
  EXPECT_EQ(open_again()->try_lock("lock").value(), nullptr);
  held.reset();
  EXPECT_NE(open_again()->try_lock("lock").value(), nullptr);
}

TEST_F(PosixFileSystem, LinkOrDirectoryInPlaceOfTheLockFileIsAnErrorNotALock) {
  std::filesystem::create_symlink(outside("lock"), path("lock"));
  EXPECT_TRUE(fails_with(files().try_lock("lock"), ErrorCode::store_io));
  EXPECT_FALSE(std::filesystem::exists(outside("lock")));
  std::filesystem::create_directory(path("dir"));
  EXPECT_TRUE(fails_with(files().try_lock("dir"), ErrorCode::store_io));
}

TEST_F(PosixFileSystem, LockOfOneDirectoryIsNotThatOfAnother) {
  for (const char* name : {"a", "b"}) ASSERT_TRUE(is_ok(files().make_directory(name)));
  const auto first = files().directory("a").value()->try_lock("lock").value();
  const auto second = files().directory("b").value()->try_lock("lock").value();
  EXPECT_NE(first, nullptr);
  EXPECT_NE(second, nullptr);
}

TEST_F(PosixFileSystem, TextOfTheLockIsReplacedAsAWhole) {
  put("lock", "an older and much longer text\n");
  const auto held = files().try_lock("lock").value();
  ASSERT_TRUE(is_ok(held->set_text("pid=1\n")));
  EXPECT_EQ(content("lock"), "pid=1\n");
}

TEST(UnsafeFileSystem, SaysNothingOfAPlaceThatIsNotThere) {
  EXPECT_EQ(unsafe_file_system("/no/such/place"), std::nullopt);
}

}  // namespace
}  // namespace worker_runtime::fs_store
