//! Distributions that have the same modules. Of each family one at most is installed: the files of two overwrite each other.

/// Families, by normalised names.
const FAMILIES: [&[&str]; 29] = [
    &OPENCV,
    &["psycopg2", "psycopg2-binary"],
    &["beautifulsoup4", "bs4"],
    &["discord-py", "discord", "py-cord"],
    &["faiss-cpu", "faiss-gpu", "faiss-gpu-cu11", "faiss-gpu-cu12"],
    &["fpdf2", "fpdf"],
    &["gitpython", "git-python"],
    &["igraph", "python-igraph"],
    &["kafka-python", "kafka-python-ng", "kafka"],
    &["levenshtein", "python-levenshtein"],
    &["mysql-connector-python", "mysql-connector", "mysql-connector-python-rf"],
    &["mysqlclient", "mysql-python"],
    &["newspaper3k", "newspaper4k"],
    &["nvidia-ml-py", "pynvml"],
    &["onnxruntime", "onnxruntime-gpu"],
    &["pdfminer-six", "pdfminer"],
    &["pillow", "pillow-simd", "pil"],
    &["polars", "polars-lts-cpu", "polars-u64-idx"],
    &["pycryptodome", "pycrypto"],
    &["pymupdf", "fitz"],
    &["pysqlite3-binary", "pysqlite3"],
    &["python-crontab", "crontab"],
    &["python-dotenv", "dotenv"],
    &["python-jose", "jose"],
    &["python-magic", "python-magic-bin"],
    &["python-slugify", "unicode-slugify", "awesome-slugify"],
    &["scikit-learn", "sklearn"],
    &["tensorflow", "tensorflow-cpu", "tensorflow-gpu", "tensorflow-macos", "intel-tensorflow", "tf-nightly"],
    &["xgboost", "xgboost-cpu"],
];

const OPENCV: [&str; 4] =
    ["opencv-python-headless", "opencv-contrib-python-headless", "opencv-python", "opencv-contrib-python"];

/// Returns whether two different distributions have the same modules.
pub(super) fn are_alternatives(one: &str, other: &str) -> bool {
    one != other && FAMILIES.iter().any(|family| family.contains(&one) && family.contains(&other))
}

/// Returns the build of a package for machines without a display. The other one needs libraries that images for servers
/// lack, and cannot be imported there.
pub(super) fn headless(name: &str) -> &str {
    match name {
        "opencv-python" => "opencv-python-headless",
        "opencv-contrib-python" => "opencv-contrib-python-headless",
        name => name,
    }
}

/// Returns the one build of OpenCV to install in the place of all that are wanted: that with the most in it.
pub(super) fn one_opencv<'a>(wanted: impl IntoIterator<Item = &'a str>) -> Option<&'static str> {
    let mut found = None;
    for name in wanted.into_iter().filter(|name| OPENCV.contains(name)) {
        if name.contains("contrib") {
            return Some(OPENCV[1]);
        }
        found = Some(OPENCV[0]);
    }
    found
}

/// Returns the builds of OpenCV that are not to be installed beside that one.
pub(super) fn other_opencvs(one: &str) -> impl Iterator<Item = &'static str> {
    OPENCV.into_iter().filter(move |name| *name != one)
}

/// Returns the versions of a package that are meant where nobody names one, if not any.
pub(super) fn usual_versions(name: &str) -> Option<&'static str> {
    match name {
        // The last ones with pkg_resources, for which it is installed when nobody asks for it.
        "setuptools" => Some("<82"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn nobody_is_in_two_families() {
        let names: Vec<_> = FAMILIES.iter().flat_map(|family| family.iter()).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        assert!(are_alternatives("psycopg2", "psycopg2-binary") && !are_alternatives("psycopg2", "psycopg2"));
        assert!(!are_alternatives("pillow", "opencv-python"));
    }

    #[test]
    fn one_opencv_stands_for_all() {
        assert_eq!(one_opencv(["numpy"]), None);
        assert_eq!(one_opencv(["numpy", "opencv-python"]), Some("opencv-python-headless"));
        let both = ["opencv-python-headless", "opencv-contrib-python"];
        assert_eq!(one_opencv(both), Some("opencv-contrib-python-headless"));
        assert_eq!(other_opencvs("opencv-python-headless").count(), 3);
    }
}
