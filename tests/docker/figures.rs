//! Figures of matplotlib come back.

use super::{
    block_on,
    pool::{pooled, usual},
};
use crate::support::docker::{Containers, image_with_packages};
use base64::{Engine, prelude::BASE64_STANDARD};
use pyexec::{Job, Outcome, executor::docker::Placement};

async fn run(containers: &Containers, job: Job) -> Outcome {
    let mut placement = Placement::default();
    placement.image = Some(image_with_packages().to_owned());
    containers.placed(job, placement).await.expect("an outcome")
}

/// Widths of the figures in pixels.
pub(super) fn widths(outcome: &Outcome) -> Vec<u32> {
    let figures = outcome.outputs.iter().enumerate().map(|(n, output)| {
        assert_eq!((output.mime.as_str(), output.name.as_str()), ("image/png", &*format!("figure-{}.png", n + 1)));
        let png = BASE64_STANDARD.decode(&output.data).expect("base64");
        assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
        u32::from_be_bytes(png[16..20].try_into().expect("four bytes"))
    });
    figures.collect()
}

#[test]
fn figures_shown_or_left_open_come_back_in_order() {
    block_on(async {
        let Some(containers) = Containers::new(|_| ()) else { return };
        let start = "import matplotlib.pyplot as plt\ndef draw(width, **more):\n    figure = plt.figure(figsize=(width, 1)); plt.plot([1, 2]); return figure\n";
        for (code, expected) in [
            // Shown once, however it ends.
            ("draw(1); plt.show()", &[100][..]),
            ("draw(1); plt.show(); draw(2); draw(3); plt.show()", &[100, 200, 300]),
            ("draw(1); plt.show(); plt.plot([1]); plt.gcf().set_size_inches(2, 1); plt.show()", &[100, 200]),
            ("draw(1).show()", &[100]),
            ("draw(1); plt.show(block=False); plt.close()", &[100]),
            ("draw(1); plt.show(block=False); plt.pause(0.01); plt.pause(0.01); plt.show()", &[100]),
            // Left open.
            ("draw(2); draw(1)", &[200, 100]),
            ("draw(1); plt.show(); draw(2)", &[100, 200]),
            ("draw(1); raise SystemExit(1)", &[100]),
            ("draw(1); 1 / 0", &[100]),
            ("draw(1); plt.show(); plt.savefig('empty.png')", &[100]),
            ("draw(1).savefig('figure.png')", &[100]),
            // A choice of the job's own.
            ("plt.switch_backend('agg'); draw(1)", &[100]),
            ("plt.switch_backend('svg'); draw(1)", &[100]),
            // Closed.
            ("draw(1); plt.close()", &[]),
            ("draw(1); plt.savefig('figure.png'); plt.close('all'); draw(2)", &[200]),
            ("from matplotlib.figure import Figure; Figure().savefig('figure.png')", &[]),
            // Once, though two processes end.
            ("draw(1)\nimport os, sys\nif os.fork() == 0: sys.exit()\nos.wait()", &[100]),
        ] {
            let outcome = run(&containers, usual(&format!("{start}{code}"))).await;
            assert_eq!(widths(&outcome), expected, "{code}: {outcome:#?}");
            let is_error = code.contains("1 / 0");
            assert!(outcome.stderr.text.is_empty() || is_error, "{code}: {}", outcome.stderr.text);
        }
    });
}

#[test]
fn a_backend_that_the_job_asks_for_is_the_jobs() {
    block_on(async {
        let Some(containers) = Containers::new(|_| ()) else { return };
        let code = "import matplotlib\nmatplotlib.use('Agg')\nimport matplotlib.pyplot as plt\nplt.plot([1]); plt.show(); print(plt.get_backend())";
        let outcome = run(&containers, usual(code)).await;
        assert_eq!((outcome.stdout.text.to_lowercase().as_str(), outcome.outputs.len()), ("agg\n", 1));
        let code = "import matplotlib.pyplot as plt\nplt.plot([1]); print(plt.get_backend())";
        let outcome = run(&containers, usual(code).env("MPLBACKEND", "pdf")).await;
        assert_eq!((outcome.stdout.text.as_str(), outcome.outputs.len()), ("pdf\n", 1));
    });
}

#[test]
fn many_figures_are_cut_and_that_is_said() {
    block_on(async {
        let Some(containers) = Containers::new(|_| ()) else { return };
        let code = "import warnings; warnings.simplefilter('ignore')\nimport matplotlib.pyplot as plt\nfor _ in range(35): plt.figure(figsize=(0.1, 0.1)).text(0, 0, '')";
        let outcome = run(&containers, usual(code)).await;
        assert_eq!(outcome.outputs.len(), 32);
        assert_eq!(outcome.stderr.text, "pyexec: 3 more figures were left out: 32 of 16 MiB together come back\n");
        // One that cannot be drawn does not keep the others.
        let code = "import matplotlib.pyplot as plt\nplt.title('$\\\\nonsense$'); plt.figure().text(0, 0, 'x')";
        let outcome = run(&containers, usual(code)).await;
        assert_eq!(outcome.outputs.len(), 1);
        assert!(outcome.stderr.text.starts_with("pyexec: figure 1 cannot be drawn: ValueError"), "{outcome:#?}");
    });
}

#[test]
fn figures_come_back_when_pyplot_was_preloaded() {
    block_on(async {
        drop(Containers::new(|_| ()));
        let preload = |options: &mut pyexec::executor::docker::DockerOptions| {
            options.default_image = image_with_packages().to_owned();
            options.preload = vec!["matplotlib.pyplot".to_owned()];
        };
        let Some(containers) = pooled(1, preload).await else { return };
        let code = "import sys\nprint('matplotlib' in sys.modules)\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()";
        let outcome = containers.run(usual(code)).await;
        assert_eq!((outcome.stdout.text.as_str(), widths(&outcome)), ("False\n", vec![640]));
        assert_eq!(containers.executor().pool_stats().hits, 1);
    });
}
