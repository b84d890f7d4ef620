//! Commands that prepare a job's image: what they see of it, and what of theirs it finds.

use super::{job, with_docker};
use crate::support::docker::{Containers, layers_of};
use pyexec::{Job, Limits, Outcome, Project, executor::docker::Placement};

async fn run(containers: &Containers, job: Job, commands: &[&str]) -> Outcome {
    let mut placement = Placement::default();
    placement.pre_commands = commands.iter().map(|&command| command.to_owned()).collect();
    containers.placed(job, placement).await.expect("an outcome")
}

fn project(files: &[(&str, &str)]) -> Job {
    let files = files.iter().map(|&(path, content)| (path, content.to_owned()));
    let limits = Limits { wall_clock_ms: 60_000, ..Limits::default() };
    Job::project(Project::files(files).expect("a project")).limits(limits)
}

#[test]
fn commands_see_the_project_the_variables_and_its_folder() {
    with_docker(async |containers| {
        let job = project(&[("main.py", "print(open('seen').read(), end='')"), ("data/in.txt", "of the project\n")])
            .env("NAME", "of the job");
        let commands = ["pwd > seen", "cat data/in.txt >> seen; echo $NAME $HOME >> seen"];
        let outcome = run(&containers, job, &commands).await;
        assert_eq!(outcome.stdout.text, "/work\nof the project\nof the job /tmp\n", "{outcome:#?}");
    });
}

#[test]
fn what_commands_leave_is_there_for_the_script() {
    with_docker(async |containers| {
        let code = "import os, stat, subprocess\n\
            for path in ('new.txt', '../kept.txt', '../changed.txt', '../link', '/tmp/made.txt', '~/.config/tool'):\n\
            \x20   print(path, open(os.path.expanduser(path)).read().strip())\n\
            print(os.path.exists('../gone.txt'), os.path.exists('../folder'), os.environ['EXPORTED'], os.environ.get('NOT'), os.environ.get('UNSET'), os.getcwd())\n\
            print(subprocess.check_output(['/work/tool'], text=True).strip(), os.stat('../tool').st_uid == os.getuid())\n\
            print(sorted(os.listdir('/work')))";
        let job = project(&[
            ("main.py", code),
            ("kept.txt", "kept"),
            ("changed.txt", "old"),
            ("gone.txt", "gone"),
            ("folder/in.txt", "gone, too"),
        ])
        .env("UNSET", "1");
        let commands = [
            "mkdir made; echo new > made/new.txt; echo changed > changed.txt; rm -r gone.txt folder; ln -s made/new.txt link",
            "export EXPORTED='a b'; NOT=exported; unset UNSET; echo temporary > /tmp/made.txt",
            "mkdir -p ~/.config && echo home > ~/.config/tool",
            "printf '#!/bin/sh\\necho \"$EXPORTED\"\\n' > tool; chmod 700 tool; cd made",
        ];
        let outcome = run(&containers, job.collect_files(true), &commands).await;
        assert_eq!(
            outcome.stdout.text,
            "new.txt new\n../kept.txt kept\n../changed.txt changed\n../link new\n/tmp/made.txt temporary\n\
             ~/.config/tool home\nFalse False a b None None /work/made\na b True\n\
             ['changed.txt', 'kept.txt', 'link', 'made', 'main.py', 'tool']\n",
            "{outcome:#?}"
        );
    });
}

#[test]
fn commands_run_in_one_shell_until_one_fails() {
    with_docker(async |containers| {
        let code = "import os\nprint(os.environ['A'], os.getcwd(), open('/made').read().strip())";
        let commands = ["A=1", "export A; cd /tmp", "echo $A $PWD > /made"];
        assert_eq!(run(&containers, job(code), &commands).await.stdout.text, "1 /tmp 1 /tmp\n");
        let mut placement = Placement::default();
        for (commands, why) in [
            (["set -e", "false; echo on"], "the command `false; echo on` failed with status 1"),
            (["exit 0", "echo never"], "the command `exit 0` ended the shell"),
            (["if", "echo never"], "the command `if` failed with status 2"),
        ] {
            placement.pre_commands = commands.map(str::to_owned).to_vec();
            let refused = containers.placed(job(code), placement.clone()).await.expect_err("fails").to_string();
            assert!(refused.contains(why), "{refused}");
        }
    });
}

#[test]
fn layers_are_told_apart_by_what_their_commands_saw() {
    with_docker(async |containers| {
        let made = async |content: &str, variable: &str| {
            let job = project(&[("main.py", "print(open('/made').read().strip())"), ("data.txt", content)])
                .env("VARIABLE", variable);
            let commands = ["cat data.txt > /made; echo \" $VARIABLE\" >> /made"];
            run(&containers, job, &commands).await.stdout.text.replace('\n', "")
        };
        for (content, variable, layers) in [("a", "1", 1), ("a", "1", 1), ("b", "1", 2), ("b", "2", 3), ("a", "1", 3)] {
            assert_eq!(made(content, variable).await, format!("{content} {variable}"));
            assert_eq!(layers_of(&containers.instance).len(), layers, "{content} {variable}");
        }
    });
}
